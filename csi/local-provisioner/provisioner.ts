import type { Logger } from 'pino';
import type { Node, PersistentVolume, StorageClass } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Client } from '../../client/rest.ts';

/** How the disks of a class are offered; upstream's MountConfig. */
export interface LocalClassOptions {
  /** Block devices only when `Block`; `Filesystem` (the default) takes both, the kubelet formats what needs it. */
  volumeMode?: 'Filesystem' | 'Block';
  accessMode?: string;
  /** For block devices that become file systems. */
  fsType?: string;
  /** Which entries count: glob patterns separated by commas. */
  namePattern?: string;
  /** Instead of zeroing a block device: a command that finds it in LOCAL_PV_BLKDEVICE. */
  blockCleanerCommand?: string[];
}

export interface LocalProvisionerOptions {
  /** May read nodes and storage classes, and make and delete volumes and events. */
  client: Client;
  nodeName: string;
  /** Has one folder a class, in each of which are that class's disks. */
  discoveryDir: string;
  /** What is special about a class; a folder without an entry here is taken as it is. */
  classes?: Record<string, LocalClassOptions>;
  log: Logger;
  clock?: Clock;
  /** How often it is looked again although nothing has told to. */
  scanMs?: number;
}

/** What the parts share. */
export interface Provisioner {
  client: Client;
  clock: Clock;
  log: Logger;
  discoveryDir: string;
  nodeName: string;
  classes: Record<string, LocalClassOptions>;
  scanMs: number;
  recorder: EventRecorder;
  nodeOf(): Node | undefined;
  classOf(name: string): StorageClass | undefined;
  volumeOf(name: string): PersistentVolume | undefined;
  ownVolumes(): PersistentVolume[];
  /** Names of volumes that are being cleaned: not to be made again even if somebody deletes the object. */
  cleaning: Set<string>;
  /** Since when a volume's disk is still held by somebody although it is released, by name. */
  busySinceMs: Map<string, number>;
  stopping: AbortSignal;
}
