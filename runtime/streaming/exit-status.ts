/** The parts of a metav1.Status that travel on the error stream, in the order of its JSON upstream. */
export interface StreamStatus {
  metadata: Record<string, never>;
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: { causes: { reason?: string; message: string }[] };
  code?: number;
}

export const success: StreamStatus = { metadata: {}, status: 'Success' };

/** A process that ended with another code than 0; clients read the code from the cause. */
export function nonZeroExit(command: string[], exitCode: number): StreamStatus {
  const words = `error executing command [${command.join(' ')}], exit code ${exitCode}`;
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: ${words}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

/** The command could not be run, or the container not be attached to. */
export function internalError(message: string): StreamStatus {
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  };
}

/** What is written on the error stream: JSON since protocol v4, before that the bare message and nothing for success. */
export function encodeStatus(status: StreamStatus, { protocol }: { protocol: string }): string {
  if (/^v[45]\./.test(protocol)) return JSON.stringify(status);
  return status.message ?? '';
}
