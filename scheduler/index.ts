import type { Logger } from 'pino';
import { systemClock, wait } from '../client/clock.ts';
import type { Clock } from '../client/clock.ts';
import { createEventRecorder } from '../client/event-recorder.ts';
import { createInformerFactory } from '../client/informer-factory.ts';
import { runWhileElected } from '../client/leader-election.ts';
import type { Client } from '../client/rest.ts';
import { createSchedulerCache } from './cache.ts';
import { followCluster } from './cluster-events.ts';
import type { PluginFactory, SchedulerHandle } from './framework/handle.ts';
import type { Plugin } from './framework/plugin.ts';
import { defaultPlugins } from './plugins/index.ts';
import { createPreBinds } from './pre-binds.ts';
import { createSchedulingQueue } from './queue.ts';
import { scheduleOne } from './scheduler.ts';

export interface SchedulerOptions {
  client: Client;
  log: Logger;
  /** Which pods are ours (spec.schedulerName). */
  schedulerName?: string;
  plugins?: readonly PluginFactory[];
  /** Schedule only while holding the Lease kube-system/kube-scheduler. */
  leaderElection?: boolean;
  clock?: Clock;
}

/** Scheduling gives the event loop back after so long, so that bindings go out meanwhile. */
const sliceMs = 4;
const flushMs = 1000;

/**
 * Places pods on nodes until stopped. Resolves once it has seen the cluster as it is (with leader election: once
 * it is a candidate).
 */
export const startScheduler = async (options: SchedulerOptions): Promise<{ stop(): Promise<void> }> => {
  if (options.leaderElection !== true) {
    const running = createScheduler(options);
    await running.ready;
    return { stop: () => running.stop() };
  }
  return runWhileElected({
    client: options.client,
    name: 'kube-scheduler',
    onError: (error) => options.log.warn({ err: error }, 'leader election'),
    start: () => createScheduler(options),
  });
};

const createScheduler = ({
  client,
  log,
  schedulerName = 'default-scheduler',
  plugins: factories = defaultPlugins,
  clock = systemClock,
}: SchedulerOptions) => {
  const stopping = new AbortController();
  const onError = (error: unknown) => log.warn({ err: error }, 'scheduler');
  const informers = createInformerFactory({ client, onError });
  const recorder = createEventRecorder({ client, source: { component: schedulerName }, clock, onError });
  const cache = createSchedulerCache();
  const preBinds = createPreBinds();
  const plugins: Plugin[] = [];
  const handle: SchedulerHandle = {
    client,
    informers,
    recorder,
    schedulerName,
    clock,
    nodes: () => cache.nodes(),
    withNominated: cache.withNominated,
    nominatedOn: cache.nominatedOn,
    plugins: () => plugins,
    activate: (pod, options) => queue.activate(pod, options),
    cancelPreBind: (pod) => preBinds.cancel(pod),
    onError,
  };
  plugins.push(...factories.map((factory) => factory(handle)));

  let isPumping = false;
  const pump = () => {
    const endMs = performance.now() + sliceMs;
    while (performance.now() < endMs) {
      const queued = stopping.signal.aborted ? undefined : queue.pop();
      if (queued === undefined) {
        isPumping = false;
        return;
      }
      const options = { handle, cache, queue, preBinds, plugins, clock, onError, signal: stopping.signal };
      scheduleOne(queued, options).catch(onError);
    }
    setImmediate(pump);
  };
  const wake = () => {
    if (isPumping || !informersReady) return;
    isPumping = true;
    // A burst of new pods is sorted by priority before the first is placed.
    setImmediate(pump);
  };
  const queue = createSchedulingQueue({ plugins: () => plugins, onReady: wake, clock });
  const unfollow = followCluster({ informers, cache, queue, plugins, schedulerName });

  let informersReady = false;
  const ready = (async () => {
    informers.start();
    await informers.waitForSync(stopping.signal);
    informersReady = true;
    wake();
  })();
  ready.catch((error: unknown) => {
    if (!stopping.signal.aborted) onError(error);
  });

  return {
    ready,
    async stop() {
      stopping.abort(new Error('the scheduler is stopped'));
      unfollow();
      queue.stop();
      await informers.stop();
      // Events that a server can't take now are not worth a slow stop.
      await Promise.race([recorder.flush(), wait({ clock, delayMs: flushMs })]);
      recorder.stop();
    },
  };
};
