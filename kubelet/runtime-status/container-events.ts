import type { Clock } from '../../client/clock.ts';
import type { CriClient } from '../cri/cri-client.ts';
import { describeError } from '../cri/cri-error.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import type { PodCache } from './pod-cache.ts';

/** The pod lifecycle event generator: the runtime's events, and a slow relist as safety net. */
export interface ContainerEvents {
  /** Resolves after the first relist, when the cache is true for the first time. */
  ready: Promise<void>;
  /** True while the runtime can be reached; upstream's "PLEG is not healthy" otherwise. */
  isHealthy(): boolean;
  stop(): void;
}

export interface ContainerEventsOptions {
  cri: CriClient;
  cache: PodCache;
  clock: Clock;
  log: KubeletLog;
  /** A Pod's status in the cache is another one. */
  onChange: (uid: string) => void;
  retryMs?: number;
}

/** How often everything is looked at although events flow, as upstream with events. */
const relistPeriodMs = 300_000;

/**
 * Follows GetContainerEvents. Whenever the stream begins anew (the runtime has restarted), everything is listed once,
 * since events of the time between are lost.
 *
 *     connect ─► relist ─► events … ─► stream ends ─► wait retryMs ─► connect
 */
export function followContainerEvents(options: ContainerEventsOptions): ContainerEvents {
  const { cri, cache, clock, log, onChange, retryMs = 100 } = options;
  const first = Promise.withResolvers<void>();
  let stopped = false;
  let healthy = false;
  let told = false;
  let cancelStream = () => {};
  let cancelTimer = () => {};

  const relist = async () => {
    for (const uid of await cache.relist()) onChange(uid);
    healthy = true;
    told = false;
    first.resolve();
  };
  const connect = () => {
    if (stopped) return;
    const stream = cri.containerEvents();
    cancelStream = () => stream.cancel();
    stream.on('data', (event) => {
      const uid = cache.accept(event);
      if (uid) onChange(uid);
    });
    stream.on('error', (error) => log.debug({ error: error.message }, 'container event stream ended'));
    stream.once('close', retry);
    relist().catch((error: unknown) => {
      // Once for each time that the runtime is away, not for each try.
      if (!told) log.warn({ error: describeError(error) }, 'cannot list the containers of the runtime');
      told = true;
      healthy = false;
      stream.cancel();
    });
  };
  const retry = () => {
    if (stopped) return;
    healthy = false;
    clock.after(retryMs, connect);
  };
  const relistSlowly = () => {
    cancelTimer = clock.after(relistPeriodMs, () => {
      relist().catch((error: unknown) =>
        log.warn({ error: describeError(error) }, 'cannot list the containers of the runtime'),
      );
      relistSlowly();
    });
  };

  connect();
  relistSlowly();
  return {
    ready: first.promise,
    isHealthy: () => healthy,
    stop() {
      stopped = true;
      cancelTimer();
      cancelStream();
    },
  };
}
