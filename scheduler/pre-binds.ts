import type { Pod } from '../api/types.ts';

/**
 * The pods whose preBind plugins are at work, which may wait long: until that is over, a binding can be called off
 * without a trace in the cluster (upstream's podsInPreBindMap).
 */
export interface PreBinds {
  /** Gives the work a signal that `cancel` aborts too. Once it was aborted this rejects, however the work has ended. */
  run(pod: Pod, work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** Answers false when no such work runs: it is too late. */
  cancel(pod: Pod): boolean;
}

/** None at work. */
export const createPreBinds = (): PreBinds => {
  const running = new Map<string, AbortController>();
  return {
    async run({ metadata }, work, signal) {
      const own = new AbortController();
      const either = AbortSignal.any([signal, own.signal]);
      running.set(metadata?.uid ?? '', own);
      try {
        await work(either);
        either.throwIfAborted();
      } finally {
        running.delete(metadata?.uid ?? '');
      }
    },
    cancel({ metadata }) {
      const own = running.get(metadata?.uid ?? '');
      // The words are Go's, which the pod's event shows.
      own?.abort(new Error('context canceled'));
      return own !== undefined;
    },
  };
};
