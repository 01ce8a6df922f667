/**
 * The deadline of a gRPC call that may take so long. None when that is more than 2^31 - 1 ms (24.8 days): grpc-js gives such a time to
 * Node's timers as it is, at both ends, and they are over at once.
 */
export const grpcDeadline = (timeoutMs: number): number =>
  timeoutMs > 2 ** 31 - 1 ? Infinity : Date.now() + timeoutMs;
