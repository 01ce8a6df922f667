/** What a plugin or the configuration had to complain about; `message` is made for an event on the Pod. */
export class CniError extends Error {
  /** The plugin's error code (CNI spec 1.0.0, section 5); undefined when there was no plugin to answer. */
  readonly code: number | undefined;

  constructor(message: string, { code, cause }: { code?: number | undefined; cause?: unknown } = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'CniError';
    this.code = code;
  }
}
