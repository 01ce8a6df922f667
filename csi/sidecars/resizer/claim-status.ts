import type { PersistentVolumeClaim, PersistentVolumeClaimCondition } from '../../../api/types.ts';
import { timeOf } from '../../../client/clock.ts';
import { errorInWords } from '../../error.ts';
import { patchClaim } from './patch-claim.ts';
import { tell } from './settings.ts';
import type { Resizer } from './settings.ts';

/** On a claim: the kubelet needn't grow the file system. */
const nodeExpansionNotRequired = 'volume.kubernetes.io/node-expansion-not-required';

const resizeConditions = ['Resizing', 'FileSystemResizePending', 'ControllerResizeError', 'NodeResizeError'];

/** Before the driver is asked; `isNew`: for another size than before, so what the conditions said is over. */
export function markInProgress(
  resizer: Resizer,
  claim: PersistentVolumeClaim,
  { size, isNew }: { size: string; isNew: boolean },
): Promise<PersistentVolumeClaim> {
  return patchClaim(resizer, claim, {
    annotations: { [nodeExpansionNotRequired]: null },
    set: [conditionNow(resizer, 'Resizing')],
    remove: isNew ? presentOf(claim, ['Resizing']) : [],
    status: {
      allocatedResources: { storage: size },
      ...(isNew ? { allocatedResourceStatuses: { storage: 'ControllerResizeInProgress' } } : {}),
    },
  });
}

/** The driver has grown the volume, and the kubelet is to grow what is in it. */
export async function markNodePending(
  resizer: Resizer,
  claim: PersistentVolumeClaim,
): Promise<PersistentVolumeClaim> {
  const message = 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.';
  const marked = await patchClaim(resizer, claim, {
    annotations: { [nodeExpansionNotRequired]: null },
    set: [conditionNow(resizer, 'FileSystemResizePending', message)],
    status: { allocatedResourceStatuses: { storage: 'NodeResizePending' } },
  });
  const told = 'Require file system resize of volume on node';
  tell(resizer, marked, { reason: 'FileSystemResizeRequired', message: told });
  return marked;
}

/** Nothing is left to do: the claim has its size. */
export async function markFinished(
  resizer: Resizer,
  claim: PersistentVolumeClaim,
  size: string,
): Promise<PersistentVolumeClaim> {
  const { storage: _, ...statuses } = claim.status?.allocatedResourceStatuses ?? {};
  const marked = await patchClaim(resizer, claim, {
    annotations: { [nodeExpansionNotRequired]: 'true' },
    remove: presentOf(claim),
    status: {
      capacity: { storage: size },
      allocatedResourceStatuses: Object.keys(statuses).length === 0 ? null : { storage: null },
    },
  });
  tell(resizer, marked, { reason: 'VolumeResizeSuccessful', message: 'Resize volume succeeded' });
  return marked;
}

/**
 * The driver's final refusal; `isInfeasible`: of a kind that asking again won't change. Written whatever the claim's resourceVersion is
 * by now: until it stands there the size can't be given up.
 */
export function markFailed(
  resizer: Resizer,
  claim: PersistentVolumeClaim,
  { error, isInfeasible }: { error: unknown; isInfeasible: boolean },
): Promise<PersistentVolumeClaim> {
  const message = `failed to expand pvc with ${errorInWords(error)}`;
  return patchClaim(resizer, claim, {
    anyVersion: true,
    set: [conditionNow(resizer, 'ControllerResizeError', message)],
    status: isInfeasible ? { allocatedResourceStatuses: { storage: 'ControllerResizeInfeasible' } } : {},
  });
}

const conditionNow = (
  { context: { clock } }: Resizer,
  type: string,
  message?: string,
): PersistentVolumeClaimCondition => ({
  type,
  status: 'True',
  lastTransitionTime: timeOf(clock.now()),
  ...(message === undefined ? {} : { message }),
});

/** The conditions about growth that a claim has. */
const presentOf = ({ status }: PersistentVolumeClaim, except: string[] = []): string[] =>
  (status?.conditions ?? [])
    .map(({ type }) => type)
    .filter((type) => resizeConditions.includes(type) && !except.includes(type));
