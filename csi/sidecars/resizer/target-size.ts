import { compareQuantities } from '../../../api/quantity.ts';
import { requestedSize, sizeOf } from '../../../api/storage/match-volume.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types.ts';

export interface TargetOptions {
  claim: PersistentVolumeClaim;
  volume: PersistentVolume;
  /** The driver has given a final answer to the last request: nothing is going on. */
  hasFailedFinally: boolean;
  /** The driver grows volumes by ControllerExpandVolume, not on the node alone. */
  hasControllerExpansion: boolean;
}

/**
 * To which size a volume is to be grown now; undefined when others are at work. The claim's request may have become smaller since
 * growth began (KEP-1790): what may be going on must first come to an end, at the size that it was begun with, which stands in the
 * claim's `status.allocatedResources`. The claim wants more than its status' capacity.
 */
export function targetSize(options: TargetOptions): string | undefined {
  const { claim, volume } = options;
  const requested = requestedSize(claim);
  const present = sizeOf(volume);
  return compareQuantities(present, requested) < 0
    ? sizeOfSmallVolume(options, requested, present)
    : sizeOfGrownVolume(options, requested);
}

/** The storage part of the status that resizer and kubelet speak to each other by. */
export const resizeStatus = ({ status }: PersistentVolumeClaim): string =>
  status?.allocatedResourceStatuses?.['storage'] ?? '';

export const allocatedSize = ({ status }: PersistentVolumeClaim): string | undefined =>
  status?.allocatedResources?.['storage'];

function sizeOfSmallVolume(
  { claim, hasFailedFinally }: TargetOptions,
  requested: string,
  present: string,
): string | undefined {
  const begun = allocatedSize(claim) ?? requested;
  switch (resizeStatus(claim)) {
    case 'NodeResizeInfeasible':
      return begun;
    case 'NodeResizePending':
    case 'NodeResizeInProgress':
      // The node is to finish what it was given first.
      return compareQuantities(present, begun) >= 0 ? undefined : begun;
    case 'ControllerResizeInProgress':
      return hasFailedFinally ? requested : begun;
    default:
      return requested;
  }
}

/** The driver has done its part: either the node hasn't, or what was done hasn't been written down. */
function sizeOfGrownVolume(
  { claim, hasControllerExpansion }: TargetOptions,
  requested: string,
): string | undefined {
  const begun = allocatedSize(claim);
  switch (resizeStatus(claim)) {
    case 'NodeResizePending':
    case 'NodeResizeInProgress':
      return undefined;
    case 'NodeResizeInfeasible':
      return hasControllerExpansion ? (begun ?? requested) : requested;
    case 'ControllerResizeInProgress':
    case 'ControllerResizeInfeasible':
      return begun ?? requested;
    default:
      if (begun !== undefined) return begun;
      return isFileSystemResizePending(claim) ? undefined : requested;
  }
}

const isFileSystemResizePending = ({ status }: PersistentVolumeClaim): boolean =>
  status?.conditions?.some((each) => each.type === 'FileSystemResizePending' && each.status === 'True') ??
  false;
