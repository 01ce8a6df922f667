export { allCapabilities, capabilitySets, defaultCapabilities } from './capabilities.ts';
export { connectToContainer, type AttachOptions, type ContainerConnection } from './connection.ts';
export type * from './container-spec.ts';
export {
  execInContainer,
  killExec,
  prepareExec,
  spawnExec,
  type ExecOptions,
  type ExecResult,
  type PreparedExec,
  type StreamedExec,
} from './exec.ts';
export { launchSandbox, startContainer, type RunningSandbox, type StartedContainer } from './launch.ts';
export { defaultMaskedPaths, defaultReadonlyPaths } from './masked-paths.ts';
export { settleStart, wasStartBegun } from './settle-start.ts';
export { StartError } from './start-error.ts';
export { readContainerState, readExitRecord, watchExit } from './state.ts';
export type { ContainerState, ExitRecord, Started } from './state.ts';
export { runtimeDefaultProfile } from './seccomp-default.ts';
export { parseSeccompProfile, type SeccompProfile } from './seccomp-profile.ts';
