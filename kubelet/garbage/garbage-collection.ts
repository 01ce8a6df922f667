import type { Clock } from '../../client/clock.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import type { KubeletConfig } from '../kubelet-options.ts';
import { wholeOf } from '../resources/amounts.ts';
import type { PodDirectory } from '../sources/pod-directory.ts';
import type { PodSyncContext } from '../sync/sync-context.ts';
import { collectImages } from './image-collection.ts';
import { rotateLogs } from './log-rotation.ts';

export interface GarbageOptions {
  context: PodSyncContext;
  directory: PodDirectory;
  config: KubeletConfig;
  clock: Clock;
  log: KubeletLog;
  /** 10 s for logs and 5 minutes for images, as upstream. */
  logPeriodMs?: number;
  imagePeriodMs?: number;
}

/** Rotates logs and removes unused images from time to time. */
export function startGarbageCollection(options: GarbageOptions): { stop(): void } {
  const { context, config, clock, log, logPeriodMs = 10_000, imagePeriodMs = 300_000 } = options;
  const cancels = new Set<() => void>();
  const every = (periodMs: number, what: string, work: () => Promise<unknown>) => {
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
  every(imagePeriodMs, 'image garbage collection', () =>
    collectImages({
      context,
      highPercent: config.imageGCHighThresholdPercent,
      lowPercent: config.imageGCLowThresholdPercent,
    }),
  );
  return {
    stop() {
      for (const cancel of cancels) cancel();
    },
  };
}
