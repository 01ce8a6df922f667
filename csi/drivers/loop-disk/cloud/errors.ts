/**
 * Every error that the cloud's API answers with, and its HTTP status. The driver maps each onto a gRPC code
 * (controller/cloud-error.ts).
 */
export const cloudErrors = {
  INVALID_PARAMETER: 400,
  INVALID_TOKEN: 400,
  SIZE_TOO_SMALL: 400,
  SIZE_TOO_LARGE: 400,
  NO_SUCH_ROUTE: 404,
  DISK_NOT_FOUND: 404,
  SNAPSHOT_NOT_FOUND: 404,
  GROUP_NOT_FOUND: 404,
  INSTANCE_NOT_FOUND: 404,
  ZONE_NOT_FOUND: 404,
  /** The name is taken by something that was asked for with other words. */
  NAME_CONFLICT: 409,
  /** Attached to this instance, in another mode. */
  ATTACH_MODE_CONFLICT: 409,
  ATTACHED_ELSEWHERE: 409,
  DISK_ATTACHED: 409,
  /** A mounted file system, or a copy under way, still needs it. */
  IN_USE: 409,
  /** Being copied; ask again. */
  NOT_READY: 409,
  ZONE_MISMATCH: 409,
  INSTANCE_FULL: 409,
  ZONE_FULL: 507,
  POOL_FULL: 507,
  INTERNAL: 500,
} as const;

export type CloudErrorCode = keyof typeof cloudErrors;

/** An error of the cloud's API; the body is `{"error":{"code":"DISK_NOT_FOUND","message":"…"}}`. */
export class CloudError extends Error {
  override readonly name = 'CloudError';
  readonly code: CloudErrorCode;

  constructor(code: CloudErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
