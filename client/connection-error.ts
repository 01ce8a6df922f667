/** The API server could not be reached, or went away before it answered. */
export class ConnectionError extends Error {
  /** Such as ECONNREFUSED or ECONNRESET, where the system gave one. */
  readonly code: string | undefined;
  /** The server surely did nothing with the request, so that any verb may be sent again. */
  readonly unsent: boolean;

  constructor({ message, cause, unsent }: { message: string; cause?: unknown; unsent: boolean }) {
    super(cause instanceof Error ? `${message}: ${cause.message}` : message, { cause });
    this.name = 'ConnectionError';
    this.code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    this.unsent = unsent;
  }
}
