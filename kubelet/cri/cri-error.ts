/** A failed CRI call: the gRPC code, and the runtime's own words as message. */
export class CriError extends Error {
  readonly method: string;
  readonly code: number;

  constructor(method: string, code: number, details: string) {
    super(details);
    this.name = 'CriError';
    this.method = method;
    this.code = code;
  }
}

export const criError = ({
  method,
  code,
  details,
}: {
  method: string;
  code: number;
  details: string;
}): CriError => new CriError(method, code, details);

export const isNotFound = (error: unknown): boolean => error instanceof CriError && error.code === 5;

const codeNames: Record<number, string> = {
  1: 'Canceled',
  2: 'Unknown',
  3: 'InvalidArgument',
  4: 'DeadlineExceeded',
  5: 'NotFound',
  6: 'AlreadyExists',
  7: 'PermissionDenied',
  8: 'ResourceExhausted',
  9: 'FailedPrecondition',
  10: 'Aborted',
  11: 'OutOfRange',
  12: 'Unimplemented',
  13: 'Internal',
  14: 'Unavailable',
  15: 'DataLoss',
  16: 'Unauthenticated',
};

/** The error as Go's gRPC prints it, which is what users know from events: `rpc error: code = X desc = …`. */
export function describeError(error: unknown): string {
  if (error instanceof CriError) return rpcErrorWords(error.code, error.message);
  return error instanceof Error ? error.message : String(error);
}

export const rpcErrorWords = (code: number, details: string): string =>
  `rpc error: code = ${codeNames[code] ?? `Code(${code})`} desc = ${details}`;

/** The message without gRPC's frame. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
