import { status } from '@grpc/grpc-js';

type StatusName = keyof typeof status;

/** An error with a gRPC status: what a client of the CRI socket gets as code and details. */
export class CriError extends Error {
  readonly code: status;

  constructor(code: StatusName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CriError';
    this.code = status[code];
  }
}

export const notFound = (message: string): CriError => new CriError('NOT_FOUND', message);
export const invalidArgument = (message: string): CriError => new CriError('INVALID_ARGUMENT', message);
export const unimplemented = (message: string): CriError => new CriError('UNIMPLEMENTED', message);

/** The words of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
