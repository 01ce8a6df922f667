import { messageOf } from '../cri/cri-error.ts';

/** The reasons of events about volumes (upstream: pkg/kubelet/events). */
export type VolumeEventReason = 'FailedMount' | 'FailedMapVolume' | 'VolumeResizeFailed';

/** A step of a volume's way has failed; the message is the event's, in upstream's words. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
  readonly reason: VolumeEventReason;

  constructor({ step, volumeName, why, reason = 'FailedMount', cause }: VolumeErrorDetails) {
    super(stepFailed({ step, volumeName, why }), { cause });
    this.reason = reason;
  }
}

export interface VolumeErrorDetails {
  /** Such as `MountVolume.SetUp failed`. */
  step: string;
  volumeName: string;
  why: string;
  reason?: VolumeEventReason;
  cause?: unknown;
}

/** `MountVolume.SetUp failed for volume "x" : why` (upstream: operationexecutor GenerateMsg). */
const stepFailed = ({ step, volumeName, why }: Omit<VolumeErrorDetails, 'reason'>): string =>
  `${step} for volume ${JSON.stringify(volumeName)} : ${why}`;

/** What a step has failed with, as the error of that step; a VolumeError stays what it is. */
export const asVolumeError = (
  error: unknown,
  { why = messageOf(error), ...details }: Omit<VolumeErrorDetails, 'why' | 'cause'> & { why?: string },
): VolumeError => (error instanceof VolumeError ? error : new VolumeError({ ...details, why, cause: error }));
