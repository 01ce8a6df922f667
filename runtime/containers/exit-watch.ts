import { watchExit } from '../native/index.ts';
import type { ExitRecord } from '../native/index.ts';
import { messageOf } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { publishSandboxEvent } from '../sandboxes/status.ts';
import type { ContainerExit, ContainerStart } from './record.ts';

interface Ending {
  promise: Promise<void>;
  resolve: () => void;
}

const endings = new WeakMap<Runtime, Map<string, Ending>>();

const endingsOf = (runtime: Runtime): Map<string, Ending> => {
  const known = endings.get(runtime) ?? new Map<string, Ending>();
  endings.set(runtime, known);
  return known;
};

/** Resolves when the end of a container that was running is in its record; at once when none is expected. */
export const exitOf = (runtime: Runtime, id: string): Promise<void> =>
  endingsOf(runtime).get(id)?.promise ?? Promise.resolve();

/** Says that the container runs and will end; to be called before anybody can see that it runs and ask to stop it. */
export function expectEnd(runtime: Runtime, id: string): Ending {
  const ending = endingsOf(runtime).get(id) ?? Promise.withResolvers<void>();
  endingsOf(runtime).set(id, ending);
  return ending;
}

/**
 * Waits for the end of a container's process, records it and tells it. After a restart of the daemon the shim's record may
 * already be there: then this happens at once.
 */
export function watchContainer(runtime: Runtime, id: string, start: ContainerStart): void {
  const ending = expectEnd(runtime, id);
  const started = { ...start, startedAtNs: BigInt(Math.round(start.startedAtNs)) };
  const letGo = (): void => watch[Symbol.dispose]();
  runtime.stopped.addEventListener('abort', letGo, { once: true });
  const watch = watchExit(runtime.containers.volatileDirectoryOf(id), started, (exit) => {
    runtime.stopped.removeEventListener('abort', letGo);
    recordEnd(runtime, id, exit)
      .catch((error: unknown) =>
        runtime.log.error({ container: id, error: messageOf(error) }, 'end not recorded'),
      )
      .finally(() => {
        endingsOf(runtime).delete(id);
        ending.resolve();
      });
  });
}

async function recordEnd(runtime: Runtime, id: string, exit: ExitRecord): Promise<void> {
  const ended = await runtime.containers.update(id, { exit: exitFrom(exit) }, { durable: false });
  if (ended === undefined) return;
  publishSandboxEvent(runtime, ended.sandboxId, 'CONTAINER_STOPPED_EVENT', { containerId: id });
  // What else was in the container's cgroup has no process to answer to any more (its pid namespace may be shared). A full disk keeps
  // nothing of that.
  await Promise.all([runtime.containers.update(id, {}), runtime.cgroups.removeCgroup(ended.cgroupPath)]);
}

function exitFrom({ exitCode, oomKilled, finishedAtNs, lost }: ExitRecord): ContainerExit {
  const reason = lost === true ? 'Unknown' : oomKilled ? 'OOMKilled' : '';
  return { exitCode, reason, message: '', finishedAtNs: Number(finishedAtNs) };
}
