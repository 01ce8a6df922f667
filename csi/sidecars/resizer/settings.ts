import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types.ts';
import type { ControllerContext } from '../../../client/controller.ts';
import type { EventRecorder } from '../../../client/event-recorder.ts';
import type { Informer } from '../../../client/informer.ts';
import type { RetryOptions } from '../back-off.ts';
import type { SidecarDriver } from '../driver.ts';

export interface ResizerOptions extends RetryOptions {
  /** Claims at once; upstream's 10. */
  workerThreads?: number | undefined;
  /** Tell the driver the names of claim and volume when a volume is modified. */
  extraModifyMetadata?: boolean | undefined;
}

/** What the parts of a resizer share. */
export interface Resizer {
  driver: SidecarDriver;
  context: ControllerContext;
  events: EventRecorder;
  claims: Informer<PersistentVolumeClaim>;
  volumes: Informer<PersistentVolume>;
  /** After the driver said that a request can't work, this long until it is asked again. */
  slowRetryMs: number;
  /** Aborted when the resizer stops: calls end. */
  signal: AbortSignal;
}

/** Records an event about a claim. */
export function tell(
  { events }: Resizer,
  object: PersistentVolumeClaim,
  { type = 'Normal', reason, message }: { type?: 'Normal' | 'Warning'; reason: string; message: string },
): void {
  events.event({ object, type, reason, message });
}
