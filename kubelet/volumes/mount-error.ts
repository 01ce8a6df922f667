/** The volumes of a Pod are not all there; the message has upstream's words (volume_manager.go WaitForAttachAndMount). */
export class MountError extends Error {
  /** The event that tells of it, prefix included in the words that the kubelet adds. */
  readonly reason = 'FailedMount';
  /** It took too long. Each failed try has been an event already, so this one is not to be another. */
  readonly interrupted: boolean;
  /** The node has as many volumes as it can have: the Pod is to be rejected (KEP-4876). */
  readonly limitExceeded: boolean;

  constructor(details: MountErrorDetails) {
    const { unmounted, unattached = [], unprocessed, why, interrupted, limitExceeded = false } = details;
    const begin = limitExceeded ? 'Node has reached its volume attachment limit, rejecting pod. ' : '';
    super(
      `${begin}unmounted volumes=${listed(unmounted)}, unattached volumes=${listed(unattached)}, failed to process volumes=${listed(unprocessed)}: ${why}`,
    );
    this.name = 'MountError';
    this.interrupted = interrupted;
    this.limitExceeded = limitExceeded;
  }
}

export interface MountErrorDetails {
  unmounted: readonly string[];
  /** Volumes that a controller has not attached yet. */
  unattached?: readonly string[];
  /** Volumes that no plugin takes. */
  unprocessed: readonly string[];
  why: string;
  interrupted: boolean;
  limitExceeded?: boolean;
}

/** As Go prints a list: `[a b]`. */
const listed = (names: readonly string[]): string => `[${[...names].sort().join(' ')}]`;

/** What Go's context says when its time is up. */
export const deadlineExceeded = 'context deadline exceeded';
