import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimCondition,
  PersistentVolumeClaimStatus,
} from '../../../api/types.ts';
import { timeOf } from '../../../client/clock.ts';
import { persistentVolumeClaims } from '../../../client/resources.ts';
import { errorInWords } from '../../error.ts';
import { tell } from './settings.ts';
import type { Resizer } from './settings.ts';

/** On a claim: the kubelet needn't grow the file system. */
const nodeExpansionNotRequired = 'volume.kubernetes.io/node-expansion-not-required';

const resizeConditions = new Set([
  'Resizing',
  'FileSystemResizePending',
  'ControllerResizeError',
  'NodeResizeError',
]);

type Condition = Pick<PersistentVolumeClaimCondition, 'type'> & { message?: string };

/** Before the driver is asked; `isNew`: for another size than before, so what the conditions said is over. */
export function markInProgress(
  resizer: Resizer,
  claim: PersistentVolumeClaim,
  { size, isNew }: { size: string; isNew: boolean },
): Promise<PersistentVolumeClaim> {
  const conditions = withConditions(resizer, claim, { add: [{ type: 'Resizing' }], keep: !isNew });
  return patchClaim(resizer, claim, {
    annotations: { [nodeExpansionNotRequired]: null },
    status: {
      conditions,
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
  const pending = { type: 'FileSystemResizePending', message };
  const marked = await patchClaim(resizer, claim, {
    annotations: { [nodeExpansionNotRequired]: null },
    status: {
      conditions: withConditions(resizer, claim, { add: [pending], keep: true }),
      allocatedResourceStatuses: { storage: 'NodeResizePending' },
    },
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
    status: {
      capacity: { storage: size },
      conditions: withConditions(resizer, claim, { add: [], keep: false }),
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
  const failed = {
    type: 'ControllerResizeError',
    message: `failed to expand pvc with ${errorInWords(error)}`,
  };
  return patchClaim(
    resizer,
    { ...claim, metadata: { ...claim.metadata, resourceVersion: '' } },
    {
      status: {
        conditions: withConditions(resizer, claim, { add: [failed], keep: true }),
        ...(isInfeasible ? { allocatedResourceStatuses: { storage: 'ControllerResizeInfeasible' } } : {}),
      },
    },
  );
}

function withConditions(
  { context: { clock } }: Resizer,
  { status }: PersistentVolumeClaim,
  { add, keep }: { add: Condition[]; keep: boolean },
): PersistentVolumeClaimCondition[] {
  const lastTransitionTime = timeOf(clock.now());
  const added = add.map((each) => ({ ...each, status: 'True', lastTransitionTime }));
  const kept = (status?.conditions ?? []).filter(
    ({ type }) =>
      !resizeConditions.has(type) || (keep && !added.some((condition) => condition.type === type)),
  );
  return [...kept, ...added];
}

type StatusPatch = { [Key in keyof PersistentVolumeClaimStatus]?: unknown };

function patchClaim(
  { context: { client } }: Resizer,
  { metadata }: PersistentVolumeClaim,
  { status, annotations }: { status: StatusPatch; annotations?: Record<string, string | null> },
): Promise<PersistentVolumeClaim> {
  const { name = '', namespace, uid, resourceVersion = '' } = metadata ?? {};
  const seen = resourceVersion === '' ? {} : { resourceVersion };
  const patch = { metadata: { uid, ...seen, ...(annotations === undefined ? {} : { annotations }) }, status };
  return client
    .resource(persistentVolumeClaims)
    .patch({ name, namespace, type: 'merge', subresource: 'status', patch });
}
