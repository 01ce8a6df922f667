import { CsiError, hasCode } from '../../../csi/error.ts';

/**
 * The driver has said that it did nothing and is doing nothing. After any other failure the volume may be mounted, or be about to be
 * (upstream: csi_client.go isFinalError).
 */
export const isFinalError = (error: unknown): boolean =>
  error instanceof CsiError &&
  !hasCode(error, 'CANCELLED', 'DEADLINE_EXCEEDED', 'UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'ABORTED');
