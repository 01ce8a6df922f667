import type { DeleteOptions, Eviction, Pod } from '../../../api/types.ts';
import { notFoundError } from '../../http/errors.ts';
import type { ApiObject } from '../../registry/kind.ts';
import type { Mutation } from '../../storage/object-store.ts';
import type { Endpoint, ResourceRequest } from '../context.ts';
import { checkDeletion, deleteInRegistry } from '../delete.ts';
import { placeOfRequest } from '../place.ts';
import { checkPlace, readObject } from '../read-object.ts';
import { timestamp } from '../timestamp.ts';
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
  const isReal = !dryRun.includes('All');
  const marked = isReal ? await markAsTarget(request, given) : given;
  await deleteInRegistry({ request, place: placeOfRequest(request), options: { ...marked, dryRun } });
  return {
    status: 201,
    object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
  };
};

/**
 * Tells who looks at the Pod's end why it comes (upstream: pod/storage addConditionAndDeletePod). Returns the options of the delete,
 * which meets what was written here instead of what the client had seen.
 */
async function markAsTarget(request: ResourceRequest, options: DeleteOptions): Promise<DeleteOptions> {
  const { server, kind } = request;
  const place = placeOfRequest(request);
  const { metadata } = await server.stores.of(kind).update(place, async (current): Promise<Mutation> => {
    if (current === undefined) throw notFoundError(kind, place.name);
    // Nothing is written of a Pod that may not be deleted.
    await checkDeletion({ request, current, options });
    return { write: withCondition(current, timestamp(server.now())) };
  });
  const { preconditions } = options;
  if (preconditions?.resourceVersion === undefined || metadata.resourceVersion === undefined) return options;
  return { ...options, preconditions: { ...preconditions, resourceVersion: metadata.resourceVersion } };
}

const TARGET = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'EvictionByEvictionAPI',
  message: 'Eviction API: evicting',
};

/** The Pod with the condition; the time of one that is True already stays. */
function withCondition(pod: ApiObject, now: string): ApiObject {
  const { status } = pod as ApiObject & Pod;
  const conditions = status?.conditions ?? [];
  const present = conditions.find(({ type }) => type === TARGET.type);
  const since = present?.status === TARGET.status ? (present.lastTransitionTime ?? now) : now;
  const condition = { ...present, ...TARGET, lastTransitionTime: since };
  return {
    ...pod,
    status: {
      ...status,
      conditions:
        present === undefined
          ? [...conditions, condition]
          : conditions.map((other) => (other === present ? condition : other)),
    },
  };
}
