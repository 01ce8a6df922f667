import type { Clock } from '../../../client/clock.ts';
import type { EventRecorder } from '../../../client/event-recorder.ts';
import type { Client } from '../../../client/rest.ts';
import type { Lister } from '../../../client/store.ts';
import type {
  VolumeGroupSnapshotClass,
  VolumeGroupSnapshotContent,
  VolumeSnapshotClass,
  VolumeSnapshotContent,
} from '../../snapshots/types.ts';
import type { Timestamp } from '../../types.ts';
import type { SidecarDriver } from '../driver.ts';

/** What the steps of a driver's csi-snapshotter work with. */
export interface Snapshotter {
  client: Client;
  clock: Clock;
  recorder: EventRecorder;
  driver: SidecarDriver;
  contents: Lister<VolumeSnapshotContent>;
  classes: Lister<VolumeSnapshotClass>;
  groupContents: Lister<VolumeGroupSnapshotContent>;
  groupClasses: Lister<VolumeGroupSnapshotClass>;
  /** Tell the driver the names of the objects, in parameters (--extra-create-metadata). */
  extraCreateMetadata: boolean;
  /** Of one call (--timeout). */
  timeoutMs: number;
}

/** Whether a step is done, or the driver has still to be asked. */
export type Progress = 'settled' | 'pending';

/** A driver's time in nanoseconds since the epoch; the present when the driver doesn't know. */
export const nanosecondsOf = (time: Timestamp | null, clock: Clock): number =>
  time === null || (time.seconds === 0 && time.nanos === 0)
    ? clock.now() * 1e6
    : time.seconds * 1e9 + time.nanos;
