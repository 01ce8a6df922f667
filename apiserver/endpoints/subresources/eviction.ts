import type { DeleteOptions, Eviction } from '../../../api/types.ts';
import type { ApiObject } from '../../registry/kind.ts';
import type { Endpoint } from '../context.ts';
import { deleteInRegistry } from '../delete.ts';
import { placeOfRequest } from '../place.ts';
import { checkPlace, readObject } from '../read-object.ts';
import { writeOptions } from '../write-options.ts';

const EVICTION = { group: 'policy', version: 'v1', kind: 'Eviction' };

/** POST pods/eviction: a delete that disruption budgets may refuse (there are none yet). */
export const evictPod: Endpoint = async (request) => {
  const { kind, info } = request;
  const options = writeOptions(info.query, 'CreateOptions');
  const eviction = (await readObject(request, EVICTION, options)) as unknown as Eviction;
  checkPlace(eviction as unknown as ApiObject, kind, info);
  const given: DeleteOptions = eviction.deleteOptions ?? {};
  const dryRun = options.dryRun ? ['All'] : (given.dryRun ?? []);
  await deleteInRegistry({ request, place: placeOfRequest(request), options: { ...given, dryRun } });
  return {
    status: 201,
    object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
  };
};
