import { status } from '@grpc/grpc-js';

export type CodeName = keyof typeof status;

export interface CsiErrorOptions extends ErrorOptions {
  /** The RPC that was called, when a client made the error. */
  method?: string;
}

/**
 * What an RPC of a driver fails with: a gRPC code and the driver's words. A handler throws it to answer with that code,
 * a client rejects with it. Which code says what is told by the CSI spec, "Error Scheme", and each RPC's table.
 */
export class CsiError extends Error {
  override readonly name = 'CsiError';
  readonly codeName: CodeName;
  readonly code: status;
  readonly method: string | undefined;

  constructor(codeName: CodeName, message: string, { method, ...options }: CsiErrorOptions = {}) {
    super(message, options);
    this.codeName = codeName;
    this.code = status[codeName];
    this.method = method;
  }

  /** The code as Go calls it, such as `InvalidArgument`: conditions have it for a reason. */
  get goCodeName(): string {
    return goNames[this.codeName];
  }

  /** As Go's gRPC prints it, which is how events and conditions show it: `rpc error: code = NotFound desc = …`. */
  describe(): string {
    return `rpc error: code = ${this.goCodeName} desc = ${this.message}`;
  }

  override toString(): string {
    return this.describe();
  }
}

const goNames: Record<CodeName, string> = {
  OK: 'OK',
  CANCELLED: 'Canceled',
  UNKNOWN: 'Unknown',
  INVALID_ARGUMENT: 'InvalidArgument',
  DEADLINE_EXCEEDED: 'DeadlineExceeded',
  NOT_FOUND: 'NotFound',
  ALREADY_EXISTS: 'AlreadyExists',
  PERMISSION_DENIED: 'PermissionDenied',
  RESOURCE_EXHAUSTED: 'ResourceExhausted',
  FAILED_PRECONDITION: 'FailedPrecondition',
  ABORTED: 'Aborted',
  OUT_OF_RANGE: 'OutOfRange',
  UNIMPLEMENTED: 'Unimplemented',
  INTERNAL: 'Internal',
  UNAVAILABLE: 'Unavailable',
  DATA_LOSS: 'DataLoss',
  UNAUTHENTICATED: 'Unauthenticated',
};

/** Whether an error is a driver's answer with one of these codes. */
export function hasCode(error: unknown, ...codes: CodeName[]): error is CsiError {
  return error instanceof CsiError && codes.includes(error.codeName);
}

/**
 * Whether a driver has said that it did nothing and is doing nothing. After its other codes, and after errors that are no answer of a
 * driver's, the work may be done or still go on (CSI spec "Error Scheme"; upstream: isFinalError of kubelet and sidecars).
 */
export const isFinalError = (error: unknown): boolean =>
  error instanceof CsiError &&
  !hasCode(error, 'CANCELLED', 'DEADLINE_EXCEEDED', 'UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'ABORTED');

/** An error in words for an event or condition: a driver's as Go prints it, any other by its message. */
export function errorInWords(error: unknown): string {
  if (error instanceof CsiError) return error.describe();
  return error instanceof Error ? error.message : String(error);
}
