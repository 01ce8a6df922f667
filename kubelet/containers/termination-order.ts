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
  /** Resolves with the seconds waited, when it is this container's turn or after `graceSeconds`. */
  waitForTurn(name: string, graceSeconds: number): Promise<number>;
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
    async waitForTurn(name, graceSeconds) {
      const startMs = clock.now();
      const turn = before.get(name);
      if (turn) await orAfter(clock, turn, graceSeconds * 1000);
      return (clock.now() - startMs) / 1000;
    },
    terminated: (name) => ends.get(name)?.resolve(),
  };
}

/** Resolves when `promise` does, or after `delayMs`. */
export function orAfter(clock: Clock, promise: Promise<unknown>, delayMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(delayMs, resolve);
    promise.then(
      () => {
        cancel();
        resolve();
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}
