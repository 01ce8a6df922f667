import { hasCode } from '../../error.ts';
import type { CsiError } from '../../error.ts';

/**
 * What a failed attempt leaves behind (sig-storage-lib-external-provisioner's ProvisioningState):
 *
 * - `finished`: nothing is being made; when the claim is gone, nothing need be done any more.
 * - `in-background`: the driver may still be making the volume, so CreateVolume must be repeated until it gives a final answer,
 *   even when the claim is deleted: else the volume is lost.
 * - `reschedule`: finished, and another node may do better: the scheduler is to choose again.
 * - `no-change`: this attempt did not get as far as the driver, so the state is that of the attempt before.
 */
export type ProvisioningState = 'finished' | 'in-background' | 'reschedule' | 'no-change';

/** An attempt that failed, with what it leaves behind. */
export class ProvisionError extends Error {
  readonly state: ProvisioningState;

  constructor(state: ProvisioningState, message: string, options?: ErrorOptions) {
    super(message, options);
    this.state = state;
  }
}

/** The claim is not ours to provision; somebody else may do so. Nothing is told and nothing tried again. */
export class IgnoredError extends Error {}

/** What CreateVolume's error says about the volume (external-provisioner's checkError; the CSI spec, "CreateVolume Errors"). */
export function stateAfter(
  error: CsiError,
  { mayReschedule }: { mayReschedule: boolean },
): ProvisioningState {
  if (error.codeName === 'RESOURCE_EXHAUSTED' && mayReschedule) return 'reschedule';
  return hasCode(error, 'CANCELLED', 'DEADLINE_EXCEEDED', 'UNAVAILABLE', 'ABORTED')
    ? 'in-background'
    : 'finished';
}

/** Whether the driver says that this request can never work: tried again seldom, until the claim's class is another. */
export const isInfeasible = (error: unknown): boolean =>
  error instanceof ProvisionError && hasCode(error.cause, 'INVALID_ARGUMENT');
