import { CsiError } from '../../../error.ts';
import type { CodeName } from '../../../error.ts';
import { CloudUnreachable } from '../cloud/client.ts';
import { CloudError } from '../cloud/errors.ts';
import type { CloudErrorCode } from '../cloud/errors.ts';

/** Each error of the cloud as the CSI spec's tables of errors call it. */
const grpcCodes: Record<CloudErrorCode, CodeName> = {
  INVALID_PARAMETER: 'INVALID_ARGUMENT',
  INVALID_TOKEN: 'ABORTED',
  SIZE_TOO_SMALL: 'OUT_OF_RANGE',
  SIZE_TOO_LARGE: 'OUT_OF_RANGE',
  NO_SUCH_ROUTE: 'INTERNAL',
  DISK_NOT_FOUND: 'NOT_FOUND',
  SNAPSHOT_NOT_FOUND: 'NOT_FOUND',
  GROUP_NOT_FOUND: 'NOT_FOUND',
  INSTANCE_NOT_FOUND: 'NOT_FOUND',
  ZONE_NOT_FOUND: 'NOT_FOUND',
  NAME_CONFLICT: 'ALREADY_EXISTS',
  ATTACH_MODE_CONFLICT: 'ALREADY_EXISTS',
  ATTACHED_ELSEWHERE: 'FAILED_PRECONDITION',
  DISK_ATTACHED: 'FAILED_PRECONDITION',
  IN_USE: 'FAILED_PRECONDITION',
  NOT_READY: 'ABORTED',
  ZONE_MISMATCH: 'FAILED_PRECONDITION',
  INSTANCE_FULL: 'RESOURCE_EXHAUSTED',
  ZONE_FULL: 'RESOURCE_EXHAUSTED',
  POOL_FULL: 'RESOURCE_EXHAUSTED',
  INTERNAL: 'INTERNAL',
};

/** Makes handlers answer an error of the cloud by its gRPC code, and UNAVAILABLE while the cloud cannot be reached. */
export function answeringCloudErrors<Handlers extends object>(handlers: Handlers): Handlers {
  const wrap =
    (handler: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]) => {
      try {
        return await handler(...args);
      } catch (error) {
        if (error instanceof CloudError)
          throw new CsiError(grpcCodes[error.code], error.message, { cause: error });
        if (error instanceof CloudUnreachable)
          throw new CsiError('UNAVAILABLE', `the cloud cannot be reached: ${error.message}`, {
            cause: error,
          });
        throw error;
      }
    };
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [name, wrap(handler)]),
  ) as Handlers;
}
