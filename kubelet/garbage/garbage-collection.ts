import type { Clock } from '../../client/clock.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import type { KubeletConfig } from '../kubelet-options.ts';
import { wholeOf } from '../resources/amounts.ts';
import type { PodSyncContext } from '../sync/sync-context.ts';
import { createImageCollection } from './image-collection.ts';
import { rotateLogs } from './log-rotation.ts';

export interface GarbageOptions {
  context: PodSyncContext;
  config: KubeletConfig;
  clock: Clock;
  log: KubeletLog;
}

/** As upstream's. */
const logPeriodMs = 10_000;
const imagePeriodMs = 300_000;

/** Rotates logs and removes unused images from time to time. */
export function startGarbageCollection(options: GarbageOptions): { stop(): void } {
  const { context, config, clock, log } = options;
  const cancels = new Set<() => void>();
  let stopped = false;
  const every = (periodMs: number, what: string, work: () => Promise<unknown>) => {
    if (stopped) return;
    const cancel = clock.after(periodMs, () => {
      cancels.delete(cancel);
      work()
        .catch((error: unknown) => log.warn({ error: messageOf(error) }, `${what} failed`))
        .finally(() => every(periodMs, what, work));
    });
    cancels.add(cancel);
  };
  const limits = {
    maxBytes: wholeOf(config.containerLogMaxSize),
    maxFiles: config.containerLogMaxFiles,
  };
  every(logPeriodMs, 'log rotation', () => rotateLogs({ context, ...limits }));
  const collectImages = createImageCollection({
    context,
    clock,
    highPercent: config.imageGCHighThresholdPercent,
    lowPercent: config.imageGCLowThresholdPercent,
  });
  every(imagePeriodMs, 'image garbage collection', collectImages);
  return {
    stop() {
      stopped = true;
      for (const cancel of cancels) cancel();
    },
  };
}
