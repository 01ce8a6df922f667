import { isDeepStrictEqual } from 'node:util';
import type { PodCondition, PodStatus } from '../../api/types.ts';
import { isOwnCondition, isPassingCondition } from './conditions.ts';

/** The fields that belong to others (claims, nominations) and are never written. */
const foreignFields = new Set([
  'nominatedNodeName',
  'resourceClaimStatuses',
  'resize',
  'extendedResourceClaimStatus',
]);

/**
 * A strategic merge patch from the status that the API server has to the wanted one; undefined when nothing differs.
 * Conditions of others are not in it, so that writers of different conditions never undo each other.
 */
export function statusPatch(current: PodStatus, wanted: PodStatus): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  const fields = new Set([...Object.keys(current), ...Object.keys(wanted)]) as Set<keyof PodStatus>;
  for (const field of fields) {
    if (field === 'conditions' || foreignFields.has(field)) continue;
    if (isDeepStrictEqual(normal(current[field]), normal(wanted[field]))) continue;
    patch[field] = replacing(field, wanted[field] ?? null);
  }
  const conditions = changedConditions(current.conditions ?? [], wanted.conditions ?? []);
  if (conditions.length > 0) patch['conditions'] = conditions;
  return Object.keys(patch).length > 0 ? patch : undefined;
}

/** Absent and undefined are the same on the wire. */
const normal = (value: unknown): unknown =>
  value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);

/** These lists merge by key, and old items must not stay. */
function replacing(field: string, value: unknown): unknown {
  if ((field === 'podIPs' || field === 'hostIPs') && Array.isArray(value)) {
    return [...value, { $patch: 'replace' }];
  }
  return value;
}

function changedConditions(current: PodCondition[], wanted: PodCondition[]): unknown[] {
  const over = current.filter(
    ({ type }) => isPassingCondition(type) && !wanted.some((condition) => condition.type === type),
  );
  const changed = wanted
    .filter(({ type }) => isOwnCondition(type))
    .flatMap((condition) => {
      const before = current.find(({ type }) => type === condition.type);
      if (isDeepStrictEqual(normal(before), normal(condition))) return [];
      const gone = Object.keys(before ?? {}).filter((key) => !(key in condition));
      return { ...Object.fromEntries(gone.map((key) => [key, null])), ...condition };
    });
  return [...changed, ...over.map(({ type }) => ({ $patch: 'delete', type }))];
}
