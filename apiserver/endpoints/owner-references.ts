import { isDeepStrictEqual } from 'node:util';
import type { ApiObject } from '../registry/kind.ts';
import type { ResourceRequest } from './context.ts';
import { warn } from './read-object.ts';

/** Takes owners out that are told twice in the same words, with a warning (upstream: handlers/rest.go dedupOwnerReferencesAndAddWarning). */
export function dropRepeatedOwners(
  request: ResourceRequest,
  { metadata }: ApiObject,
  when: '' | ' after mutating admission happens' = '',
): void {
  const owners = metadata.ownerReferences ?? [];
  const isRepeated = owners.map((owner, index) =>
    owners.slice(0, index).some((earlier) => isDeepStrictEqual(earlier, owner)),
  );
  const repeated = owners.filter((_, index) => isRepeated[index]);
  if (repeated.length === 0) return;
  metadata.ownerReferences = owners.filter((_, index) => !isRepeated[index]);
  warn(request, [
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.map(({ uid }) => uid).join(', ')}`,
  ]);
}
