import type { ExecSpec } from '../native/index.ts';
import { CriError } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { getSandbox } from '../sandboxes/status.ts';
import { processSpec } from './container-spec.ts';
import type { ContainerRecord, ContainerStart } from './record.ts';
import { stateOf } from './record.ts';

/** A running container. Throws in containerd's words when it does not run. */
export function runningStart(container: ContainerRecord): ContainerStart {
  const state = stateOf(container);
  if (container.start === null || state !== 'CONTAINER_RUNNING')
    throw new CriError('UNKNOWN', `container is in ${state} state`);
  return container.start;
}

export interface ExecOptions {
  command: string[];
  tty: boolean;
}

/** A command to run in a container: as its user, with its rights, environment and directory, in its cgroup. */
export function execSpec(
  runtime: Runtime,
  container: ContainerRecord,
  { command, tty }: ExecOptions,
): ExecSpec {
  const target = runningStart(container);
  const sandbox = getSandbox(runtime, container.sandboxId);
  const process = processSpec(container, sandbox);
  const env =
    tty && !process.env.some((pair) => pair.startsWith('TERM='))
      ? [...process.env, 'TERM=xterm']
      : process.env;
  return {
    target: { pid: target.pid, startTime: target.startTime },
    stateDir: runtime.containers.volatileDirectoryOf(container.id),
    process: { ...process, args: command, env, tty },
    cgroup: runtime.cgroups.entranceOf(container.cgroupPath),
  };
}
