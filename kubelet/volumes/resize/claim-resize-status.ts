import type { PersistentVolumeClaim, PersistentVolumeClaimCondition } from '../../../api/types.ts';
import { timeOf } from '../../../client/clock.ts';
import type { Clock } from '../../../client/clock.ts';
import { persistentVolumeClaims } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';

/** How far a claim's growing is on the node, as its status says it (KEP-1790). */
export interface ClaimResizeStatus {
  inProgress(claim: PersistentVolumeClaim): Promise<PersistentVolumeClaim>;
  finished(claim: PersistentVolumeClaim, size: string): Promise<PersistentVolumeClaim>;
  /** It has failed, and is tried again; or never again when it can't be done. */
  failed(
    claim: PersistentVolumeClaim,
    error: unknown,
    how: { infeasible: boolean },
  ): Promise<PersistentVolumeClaim>;
}

const resizeConditions = new Set([
  'FileSystemResizePending',
  'Resizing',
  'ControllerResizeError',
  'NodeResizeError',
]);

/** Upstream: pkg/volume/util/resize_util.go. */
export const claimResizeStatus = ({ client, clock }: { client: Client; clock: Clock }): ClaimResizeStatus => {
  const patch = ({ metadata }: PersistentVolumeClaim, status: object, { checked = true } = {}) =>
    client.resource(persistentVolumeClaims).patch({
      name: metadata?.name ?? '',
      namespace: metadata?.namespace,
      type: 'merge',
      subresource: 'status',
      // What is said of a claim that has changed meanwhile may be wrong by now.
      patch: { ...(checked ? { metadata: { resourceVersion: metadata?.resourceVersion } } : {}), status },
    });
  return {
    inProgress: (claim) => patch(claim, { allocatedResourceStatuses: { storage: 'NodeResizeInProgress' } }),
    finished(claim, size) {
      const { storage: _done, ...others } = claim.status?.allocatedResourceStatuses ?? {};
      const rest = Object.keys(others).length === 0 ? null : { storage: null };
      const conditions = (claim.status?.conditions ?? []).filter(({ type }) => !resizeConditions.has(type));
      return patch(claim, {
        capacity: { storage: size },
        allocatedResourceStatuses: rest,
        conditions: conditions.length === 0 ? null : conditions,
      });
    },
    failed(claim, error, { infeasible }) {
      const message = `failed to expand pvc with ${error instanceof Error ? error.message : String(error)}`;
      const status = infeasible
        ? { allocatedResourceStatuses: { storage: 'NodeResizeInfeasible' } }
        : undefined;
      const conditions = withError(claim, { message, now: timeOf(clock.now()) });
      return patch(claim, { ...status, conditions }, { checked: false });
    },
  };
};

const withError = (
  { status }: PersistentVolumeClaim,
  { message, now }: { message: string; now: string },
): PersistentVolumeClaimCondition[] => {
  const conditions = status?.conditions ?? [];
  const isKnown = conditions.some((each) => each.type === 'NodeResizeError' && each.status === 'True');
  if (isKnown) return conditions;
  const others = conditions.filter(({ type }) => type !== 'NodeResizeError');
  return [...others, { type: 'NodeResizeError', status: 'True', lastTransitionTime: now, message }];
};
