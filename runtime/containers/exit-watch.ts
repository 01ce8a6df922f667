import { watchExit } from '../native/index.ts';
import type { ExitRecord } from '../native/index.ts';
import { messageOf } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { publishSandboxEvent } from '../sandboxes/status.ts';
import type { ContainerExit, ContainerStart } from './record.ts';

const endings = new WeakMap<Runtime, Map<string, Promise<void>>>();

/** Resolves when the end of a container that was running is in its record; at once when nobody waits for one. */
export const exitOf = (runtime: Runtime, id: string): Promise<void> =>
  endings.get(runtime)?.get(id) ?? Promise.resolve();

/**
 * Waits for the end of a container's process, records it and tells it. After a restart of the daemon the shim's record may
 * already be there: then this happens at once.
 */
export function watchContainer(runtime: Runtime, id: string, start: ContainerStart): void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const known = endings.get(runtime) ?? new Map<string, Promise<void>>();
  endings.set(runtime, known.set(id, promise));
  const started = { ...start, startedAtNs: BigInt(Math.round(start.startedAtNs)) };
  const letGo = (): void => watch[Symbol.dispose]();
  runtime.stopped.addEventListener('abort', letGo, { once: true });
  const watch = watchExit(runtime.containers.directoryOf(id), started, (exit) => {
    runtime.stopped.removeEventListener('abort', letGo);
    recordEnd(runtime, id, exit)
      .catch((error: unknown) =>
        runtime.log.error({ container: id, error: messageOf(error) }, 'end not recorded'),
      )
      .finally(() => {
        known.delete(id);
        resolve();
      });
  });
}

async function recordEnd(runtime: Runtime, id: string, exit: ExitRecord): Promise<void> {
  const ended = await runtime.containers.update(id, { exit: exitFrom(exit) });
  if (ended === undefined) return;
  // What else was in the container's cgroup has no process to answer to any more (its pid namespace may be shared).
  await runtime.cgroups.removeCgroup(ended.cgroupPath);
  publishSandboxEvent(runtime, ended.sandboxId, 'CONTAINER_STOPPED_EVENT', { containerId: id });
}

function exitFrom({ exitCode, oomKilled, finishedAtNs, lost }: ExitRecord): ContainerExit {
  const reason = lost === true ? 'Unknown' : oomKilled ? 'OOMKilled' : '';
  return { exitCode, reason, message: '', finishedAtNs: Number(finishedAtNs) };
}
