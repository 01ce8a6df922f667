import type { Clock } from '../../../client/clock.ts';

/** How long to wait before a driver is asked again for what isn't ready. */
export interface Polls {
  nextMs(key: string): number;
  forget(key: string): void;
}

/** A quarter of the time it has taken so far: what takes long is asked for seldom, and is noticed late by a quarter at most. */
export const createPolls = ({
  clock,
  minMs = 20,
  maxMs = 5_000,
}: {
  clock: Clock;
  minMs?: number;
  maxMs?: number;
}): Polls => {
  const began = new Map<string, number>();
  return {
    nextMs(key) {
      const since = began.get(key) ?? clock.now();
      began.set(key, since);
      return Math.min(Math.max((clock.now() - since) / 4, minMs), maxMs);
    },
    forget: (key) => void began.delete(key),
  };
};
