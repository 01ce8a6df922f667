import { compareQuantities } from '../../../api/quantity.ts';
import type { PersistentVolumeClaim, Pod } from '../../../api/types.ts';
import type { Clock } from '../../../client/clock.ts';
import { persistentVolumeClaims } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import { CsiError, errorInWords, hasCode, isFinalError } from '../../../csi/error.ts';
import type { Device } from '../devices/device.ts';
import type { VolumeEvents } from '../volume-events.ts';
import { asVolumeError } from '../volume-error.ts';
import type { VolumeSpec } from '../volume-spec.ts';
import { claimResizeStatus } from './claim-resize-status.ts';

export interface ResizeContext {
  client: Client;
  clock: Clock;
  events: VolumeEvents;
}

export interface ResizeOptions {
  spec: VolumeSpec;
  pod: Pod;
  /** What the node has of the volume. */
  device: Pick<Device, 'failedToGrow'>;
  /**
   * Makes what is mounted as large as this. Rejects with CsiError, NotSupportedError, or any other Error; is not called
   * when nothing is to be done.
   */
  expand: (size: string) => Promise<void>;
}

/** The plugin or the driver has no expansion on the node. */
export class NotSupportedError extends Error {
  override readonly name = 'NotSupportedError';
}

/**
 * The node's part of making a volume larger, while it is in use (upstream: operation_generator.go, node_expander.go):
 *
 *     claim asks for more ─▶ resizer: ControllerExpandVolume, PersistentVolume.capacity, NodeResizePending
 *                                 └─▶ here: NodeResizeInProgress ─▶ NodeExpandVolume ─▶ claim.status.capacity
 *
 * Rejects with VolumeError.
 */
export const resizeInUse = async (context: ResizeContext, options: ResizeOptions): Promise<void> => {
  try {
    await resize(context, options, { online: true });
  } catch (error) {
    const step = 'NodeExpandVolume.NodeExpandVolume failed';
    throw asVolumeError(error, { step, volumeName: options.spec.name, reason: 'VolumeResizeFailed' });
  }
};

/** The same for a volume that has just been mounted. Rejects with VolumeError. */
export const resizeAfterMount = async (context: ResizeContext, options: ResizeOptions): Promise<void> => {
  const { name, mode } = options.spec;
  try {
    await resize(context, options, { online: false });
  } catch (error) {
    const isBlock = mode === 'Block';
    const step = isBlock
      ? 'MapVolume.MarkVolumeAsMounted failed while expanding volume'
      : 'MountVolume.Setup failed while expanding volume';
    throw asVolumeError(error, {
      step,
      volumeName: name,
      reason: isBlock ? 'FailedMapVolume' : 'FailedMount',
    });
  }
};

const resize = async (
  context: ResizeContext,
  options: ResizeOptions,
  { online }: { online: boolean },
): Promise<void> => {
  const { spec } = options;
  const capacity = spec.persistentVolume?.spec?.capacity?.['storage'];
  if (spec.claim === undefined || capacity === undefined) return;
  // What the mount has read is fresh enough to see that nothing is to be done, as it nearly always is.
  if (!online && hasAtLeast(spec.claim, capacity)) return;
  const claim = await currentClaim(context, spec.claim);
  if (!online && hasAtLeast(claim, capacity)) return;
  if (spec.readOnly) return tellReadOnly(context, options, claim);
  await resizeClaim(context, options, { claim, capacity });
};

const hasAtLeast = ({ status }: PersistentVolumeClaim, size: string): boolean =>
  compareQuantities(status?.capacity?.['storage'] ?? '0', size) >= 0;

const currentClaim = async (
  { client }: ResizeContext,
  { metadata }: PersistentVolumeClaim,
): Promise<PersistentVolumeClaim> => {
  const { name = '', namespace } = metadata ?? {};
  try {
    return await client.resource(persistentVolumeClaims).get({ name, namespace });
  } catch (error) {
    throw new Error(`mountVolume.NodeExpandVolume get PVC failed : ${errorInWords(error)}`, { cause: error });
  }
};

interface Resize {
  claim: PersistentVolumeClaim;
  /** What the PersistentVolume has. */
  capacity: string;
}

const resizeClaim = async (
  context: ResizeContext,
  options: ResizeOptions,
  { claim, capacity }: Resize,
): Promise<void> => {
  const resizeStatus = claimResizeStatus(context);
  const state = claim.status?.allocatedResourceStatuses?.['storage'] ?? '';
  const allocated = claim.status?.allocatedResources?.['storage'];
  // A resizer from before KEP-1790 says neither; then the PersistentVolume's size is what counts.
  const isOld = state === '' && allocated === undefined;
  const size = allocated ?? capacity;
  const isUpToDate = state === '' && hasAtLeast(claim, size);
  const isPending = state === 'NodeResizePending' || state === 'NodeResizeInProgress';
  if (isUpToDate ? !isShared(claim) : !isPending && !isOld) return;
  const isOutdated = options.device.failedToGrow && !asksFor(claim, size);
  const current = isUpToDate || isOld ? claim : await resizeStatus.inProgress(claim);
  try {
    await options.expand(size);
    options.device.failedToGrow = false;
  } catch (error) {
    options.device.failedToGrow = error instanceof NotSupportedError || isFinalError(error);
    return failed(context, { claim: current, error, isOld, isUpToDate, isOutdated });
  }
  tellResized(context, options, current);
  if (isUpToDate) return;
  await resizeStatus.finished(current, size).catch((error: unknown) => {
    const why = `mountVolume.NodeExpandVolume update pvc status failed: ${errorInWords(error)}`;
    throw new Error(why, { cause: error });
  });
};

const asksFor = ({ spec }: PersistentVolumeClaim, size: string): boolean =>
  compareQuantities(spec?.resources?.requests?.['storage'] ?? '0', size) === 0;

/** Other nodes may have done their part for a volume that all of them mount; this one has to do its own. */
const isShared = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  spec?.accessModes?.includes('ReadWriteMany') === true &&
  metadata?.annotations?.['volume.kubernetes.io/node-expansion-not-required'] === undefined;

interface FailedResize {
  claim: PersistentVolumeClaim;
  error: unknown;
  isOld: boolean;
  isUpToDate: boolean;
  /**
   * It has failed before, and the user has asked for another size since: to say that this one can't be had lets the resizer give
   * the volume the other (KEP-1790; upstream: node_expander.go runPreCheck).
   */
  isOutdated: boolean;
}

const failed = async (
  context: ResizeContext,
  { claim, error, isOld, isUpToDate, isOutdated }: FailedResize,
): Promise<void> => {
  const isUnsupported = error instanceof NotSupportedError;
  if (isUnsupported && (isUpToDate || isOld)) return;
  const why = `Expander.NodeExpand failed to expand the volume : ${errorInWords(error)}`;
  const shown = error instanceof CsiError ? new Error(why, { cause: error }) : error;
  if ((isUnsupported || isFinalError(error)) && !isOld) {
    const infeasible = isOutdated || hasCode(error, 'INVALID_ARGUMENT', 'OUT_OF_RANGE', 'NOT_FOUND');
    await claimResizeStatus(context).failed(claim, shown, { infeasible });
  }
  // The driver can't do it while the volume is in use: that is no reason to keep the Pod from it.
  if (hasCode(error, 'FAILED_PRECONDITION')) return;
  throw shown;
};

const tellResized = (
  { events }: ResizeContext,
  { pod, spec }: ResizeOptions,
  claim: PersistentVolumeClaim,
): void => {
  const message = `MountVolume.NodeExpandVolume succeeded for volume "${spec.name}" ${pod.spec?.nodeName ?? ''}`;
  const event = { type: 'Normal', reason: 'FileSystemResizeSuccessful', message } as const;
  events.pod(pod, event);
  events.claim(claim, event);
};

const tellReadOnly = (
  { events }: ResizeContext,
  { pod, spec }: ResizeOptions,
  claim: PersistentVolumeClaim,
): void => {
  const message = `MountVolume.NodeExpandVolume failed for volume "${spec.name}" requested read-only file system`;
  const event = { type: 'Warning', reason: 'FileSystemResizeFailed', message } as const;
  events.pod(pod, event);
  events.claim(claim, event);
};
