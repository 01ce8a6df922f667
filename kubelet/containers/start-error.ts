/** Why a container does not start, as `state.waiting.reason` names it. */
export type StartReason =
  | 'CrashLoopBackOff'
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'ErrImageNeverPull'
  | 'InvalidImageName'
  | 'ImageInspectError'
  | 'RegistryUnavailable'
  | 'SignatureValidationFailed'
  | 'CreateContainerConfigError'
  | 'CreateContainerError'
  | 'RunContainerError'
  | 'PostStartHookError';

/** A container could not be started; `message` is what the Pod's status shows. */
export class StartError extends Error {
  readonly reason: StartReason;
  /** When it is worth another try, in milliseconds since 1970; undefined: by the worker's own back-off. */
  readonly retryAtMs: number | undefined;

  constructor(reason: StartReason, message: string, retryAtMs?: number) {
    super(message);
    this.name = 'StartError';
    this.reason = reason;
    this.retryAtMs = retryAtMs;
  }
}
