import { constants } from 'node:os';
import { systemClock } from '../../client/clock.ts';
import { signalProcess } from '../../linux/process.ts';
import type { Runtime } from '../runtime.ts';
import { exitOf } from './exit-watch.ts';
import type { ContainerRecord } from './record.ts';
import { stateOf } from './record.ts';

/**
 * Ends a running container: the stop signal, then SIGKILL when it is still there after the grace time (at once when that
 * is 0). Returns when its end is recorded. A container that does not run is left alone: CRI asks stops to be idempotent.
 * One that is being stopped gets no second signal, which many programs take for haste; only less time (containerd's container_stop.go).
 */
export async function stopRunningContainer(
  runtime: Runtime,
  container: ContainerRecord,
  { graceMs }: { graceMs: number },
): Promise<void> {
  const { start, id } = runtime.containers.find(container.id) ?? container;
  if (start === null || stateOf(runtime.containers.find(id) ?? container) !== 'CONTAINER_RUNNING') return;
  const ended = exitOf(runtime, id);
  if (graceMs > 0) {
    const { stopping } = runtime.busy;
    if (!stopping.has(id)) {
      stopping.add(id);
      void ended.then(() => stopping.delete(id));
      signalProcess(start, signalNumber(container.stopSignal));
    }
    if (await endsWithin(ended, graceMs)) return;
  }
  signalProcess(start, 'SIGKILL');
  await ended;
}

async function endsWithin(ended: Promise<void>, timeMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<false>();
  const cancel = systemClock.after(timeMs, () => resolve(false));
  try {
    return await Promise.race([ended.then(() => true as const), promise]);
  } finally {
    cancel();
  }
}

const realtime = { MIN: 34, MAX: 64 };

/** The number of a signal written as `TERM`, `SIGTERM`, `RTMIN+3` or `15`; SIGTERM's when it is none. */
function signalNumber(name: string): number {
  const bare = name.toUpperCase().replace(/^SIG/, '');
  const [, edge, sign, offset] = /^RT(MIN|MAX)(?:(\+|-|PLUS|MINUS)(\d+))?$/.exec(bare) ?? [];
  if (edge === 'MIN' || edge === 'MAX')
    return realtime[edge] + Number(offset ?? 0) * (sign === '-' || sign === 'MINUS' ? -1 : 1);
  if (/^\d+$/.test(bare)) return Number(bare);
  const numbers: Record<string, number> = constants.signals;
  return numbers[`SIG${bare}`] ?? numbers[aliases[bare] ?? 'SIGTERM'] ?? constants.signals.SIGTERM;
}

const aliases: Record<string, string> = { CLD: 'SIGCHLD', POLL: 'SIGIO' };
