import type { Clock } from '../../client/clock.ts';
import { isSidecar } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';

/**
 * The order in which the containers of a Pod with sidecars end: regular ones first, then the sidecars from the last
 * to the first (KEP-753).
 *
 *     regular ─┬─► sidecar n ─► … ─► sidecar 1
 */
export interface TerminationOrder {
  /** Resolves with the seconds waited, when it is this container's turn or after `graceSeconds`; rejects with the signal's reason. */
  waitForTurn(name: string, graceSeconds: number, signal?: AbortSignal): Promise<number>;
  /** The container has ended. */
  terminated(name: string): void;
}

export function createTerminationOrder({
  pod,
  running,
  clock,
}: {
  pod: KubeletPod;
  running: string[];
  clock: Clock;
}): TerminationOrder {
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const endOf = (name: string) => {
    const end = ends.get(name) ?? Promise.withResolvers<void>();
    ends.set(name, end);
    if (!running.includes(name)) end.resolve();
    return end.promise;
  };
  const before = new Map<string, Promise<unknown>>();
  let previous: Promise<unknown> = Promise.all(pod.spec.containers.map(({ name }) => endOf(name)));
  for (const container of [...(pod.spec.initContainers ?? [])].reverse().filter(isSidecar)) {
    before.set(container.name, previous);
    previous = Promise.all([previous, endOf(container.name)]);
  }
  return {
    async waitForTurn(name, graceSeconds, signal) {
      const startMs = clock.now();
      const turn = before.get(name);
      if (turn) await orAfter(turn, { clock, delayMs: graceSeconds * 1000, signal });
      return (clock.now() - startMs) / 1000;
    },
    terminated: (name) => ends.get(name)?.resolve(),
  };
}

/** Resolves when `promise` does, or after `delayMs`; rejects with the signal's reason. */
export async function orAfter(
  promise: Promise<unknown>,
  { clock, delayMs, signal }: { clock: Clock; delayMs: number; signal: AbortSignal | undefined },
): Promise<void> {
  signal?.throwIfAborted();
  const late = Promise.withResolvers<void>();
  const cancel = clock.after(delayMs, late.resolve);
  const abort = () => late.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, late.promise]);
  } finally {
    cancel();
    signal?.removeEventListener('abort', abort);
  }
}
