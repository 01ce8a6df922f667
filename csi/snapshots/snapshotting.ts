import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts';
import type { ControllerContext } from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Lister } from '../../client/store.ts';
import type {
  VolumeGroupSnapshot,
  VolumeGroupSnapshotClass,
  VolumeGroupSnapshotContent,
  VolumeSnapshot,
  VolumeSnapshotClass,
  VolumeSnapshotContent,
} from './types.ts';

/** What the steps of the snapshot controller work with. */
export interface Snapshotting extends Pick<ControllerContext, 'client' | 'clock' | 'log'> {
  recorder: EventRecorder;
  /** Indexes: `claim` (`namespace/name` of the source), `group` (`namespace/name` of the owning group). */
  snapshots: Lister<VolumeSnapshot>;
  contents: Lister<VolumeSnapshotContent>;
  classes: Lister<VolumeSnapshotClass>;
  groups: Lister<VolumeGroupSnapshot>;
  groupContents: Lister<VolumeGroupSnapshotContent>;
  groupClasses: Lister<VolumeGroupSnapshotClass>;
  claims: Lister<PersistentVolumeClaim>;
  /** Index: `handle` (driver and volume handle, see handleKey). */
  volumes: Lister<PersistentVolume>;
}

/** Under this a CSI volume is found in the index `handle`. */
export const handleKey = (driver: string, volumeHandle: string): string => `${driver}^${volumeHandle}`;

/** An update that the API server refused, in the words of snapshots' status. */
export const updateFailed = (name: string, why: string, options?: ErrorOptions): Error =>
  new Error(`snapshot controller failed to update ${name} on API server: ${why}`, options);

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
