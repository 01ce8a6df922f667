import type { PersistentVolumeClaim, PersistentVolumeClaimCondition } from '../../../api/types.ts';
import { timeOf } from '../../../client/clock.ts';
import { persistentVolumes } from '../../../client/resources.ts';
import { isFinalError } from '../../error.ts';
import type { CsiError } from '../../error.ts';
import type { Claimed } from './expand.ts';
import { patchClaim } from './patch-claim.ts';
import type { Resizer } from './settings.ts';

type Condition = Pick<PersistentVolumeClaimCondition, 'type'> & { reason?: string; message?: string };

export type ModifyState = 'Pending' | 'InProgress' | 'Infeasible';

/** The class doesn't exist: to be waited for. Target and conditions stay those of the modification before. */
export const markPending = (resizer: Resizer, claim: PersistentVolumeClaim): Promise<PersistentVolumeClaim> =>
  patchClaim(resizer, claim, {
    status: { modifyVolumeStatus: { status: 'Pending', ...targetOf(claim) } },
  });

const targetOf = ({ status }: PersistentVolumeClaim) => {
  const target = status?.modifyVolumeStatus?.targetVolumeAttributesClassName;
  return target === undefined ? {} : { targetVolumeAttributesClassName: target };
};

/** The driver is about to be asked. */
export const markModifying = (
  resizer: Resizer,
  claim: PersistentVolumeClaim,
  target: string,
): Promise<PersistentVolumeClaim> =>
  patchClaim(resizer, claim, {
    status: { modifyVolumeStatus: { status: 'InProgress', targetVolumeAttributesClassName: target } },
    set: conditionsNow(resizer, claim, [
      { type: 'ModifyingVolume', message: `Modifying volume to "${target}" is in progress.` },
    ]),
  });

/** The driver has failed; unless finally, it may still be at it. */
export function markModifyFailed(
  resizer: Resizer,
  claim: PersistentVolumeClaim,
  error: CsiError,
): Promise<PersistentVolumeClaim> {
  const target = claim.status?.modifyVolumeStatus?.targetVolumeAttributesClassName ?? '';
  const message = isFinalError(error)
    ? `Modifying volume to "${target}" failed. Waiting for retry.`
    : `Modifying volume to "${target}" is still in progress.`;
  const state: ModifyState = error.codeName === 'INVALID_ARGUMENT' ? 'Infeasible' : 'InProgress';
  return patchClaim(resizer, claim, {
    status: { modifyVolumeStatus: { status: state, targetVolumeAttributesClassName: target } },
    set: conditionsNow(resizer, claim, [
      { type: 'ModifyingVolume', message },
      { type: 'ModifyVolumeError', reason: error.goCodeName, message: error.message },
    ]),
  });
}

/** The volume first: when this ends half way the claim still says that there is something to do. */
export async function markModified(resizer: Resizer, { claim, volume }: Claimed): Promise<void> {
  const { client } = resizer.context;
  const target = claim.status?.modifyVolumeStatus?.targetVolumeAttributesClassName ?? '';
  const { name = '', uid } = volume.metadata ?? {};
  const patch = { metadata: { uid }, spec: { volumeAttributesClassName: target } };
  await client.resource(persistentVolumes).patch({ name, type: 'merge', patch });
  await patchClaim(resizer, claim, {
    anyVersion: true,
    status: { modifyVolumeStatus: null, currentVolumeAttributesClassName: target },
    remove: presentOf(claim, ['ModifyingVolume', 'ModifyVolumeError']),
  });
}

/** The claim wants no class any more, and nothing is going on. */
export const markRolledBack = (
  resizer: Resizer,
  claim: PersistentVolumeClaim,
): Promise<PersistentVolumeClaim> =>
  patchClaim(resizer, claim, {
    anyVersion: true,
    status: {},
    remove: presentOf(claim, ['ModifyingVolume']),
  });

const presentOf = ({ status }: PersistentVolumeClaim, types: string[]): string[] =>
  (status?.conditions ?? []).map(({ type }) => type).filter((type) => types.includes(type));

/** The time of a condition's transition changes with its status and reason only, not with its message. */
function conditionsNow(
  { context: { clock } }: Resizer,
  { status }: PersistentVolumeClaim,
  conditions: Condition[],
): PersistentVolumeClaimCondition[] {
  const now = timeOf(clock.now());
  return conditions.map((condition) => {
    const before = status?.conditions?.find(({ type }) => type === condition.type);
    const isSame = before?.status === 'True' && (before.reason ?? '') === (condition.reason ?? '');
    const lastTransitionTime = isSame ? (before.lastTransitionTime ?? now) : now;
    return { ...condition, status: 'True', lastProbeTime: now, lastTransitionTime };
  });
}
