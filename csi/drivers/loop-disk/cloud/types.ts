/**
 * What the cloud's API speaks of. All of it is JSON as it stands here; times are RFC 3339, sizes bytes.
 *
 *   region ─┬─ zone ─┬─ disk ──── attached to ── instance (a machine of that zone: a node)
 *           │        └─ capacity
 *           └─ snapshot of a disk, to be restored in any zone of its region; group of snapshots of one moment
 */
export interface Zone {
  name: string;
  region: string;
  /** How many bytes of disks may be promised here. Disks are sparse: what they promise is not what they take. */
  capacityBytes: number;
  /** Promised to disks so far. */
  allocatedBytes: number;
}

/** A machine that disks can be attached to. */
export interface Instance {
  name: string;
  region: string;
  zone: string;
  maxDisks: number;
}

/**
 * `none`: reads and writes go past the page cache of the pool. `writeback`: through it, which is quicker and takes
 * memory.
 */
export type CacheMode = 'none' | 'writeback';

export const cacheModes: readonly CacheMode[] = ['none', 'writeback'];

export type AttachMode =
  /** One instance, which may write. */
  | 'read-write'
  /** Any number of instances, none of which may write. */
  | 'read-only'
  /** Any number of instances that write, and know what they do (a cluster file system, a database of its own). */
  | 'shared-write';

export interface Attachment {
  instance: string;
  mode: AttachMode;
  attachedAt: string;
}

export type DiskSource = { snapshot: string } | { disk: string };

export interface Disk {
  id: string;
  name: string;
  region: string;
  zone: string;
  sizeBytes: number;
  /** A name of the vendor's price list, such as `pd-ssd`; all of them are sparse files here. */
  type: string;
  cache: CacheMode;
  /** `creating`: its content is being copied from `source`. */
  state: 'creating' | 'available' | 'deleting';
  source?: DiskSource;
  attachments: Attachment[];
  createdAt: string;
}

/** A disk as the API shows it. */
export interface DiskView extends Disk {
  /** While it is being copied: 0 to 100. */
  percent: number;
  /** What it takes in the pool. */
  usedBytes: number;
  /** The block device, as long as it is attached. */
  devicePath?: string;
  /** False, with the reason, when the image or the device is not as it should be. */
  health: { ok: boolean; message: string };
}

export interface Snapshot {
  id: string;
  name: string;
  region: string;
  /** The disk that it is of, which may have been deleted since, and that disk's name and zone. */
  disk: string;
  diskName: string;
  zone: string;
  sizeBytes: number;
  state: 'copying' | 'ready' | 'deleting';
  group?: string;
  /** The moment that the content is of. */
  createdAt: string;
}

export interface SnapshotView extends Snapshot {
  percent: number;
  usedBytes: number;
}

export interface SnapshotGroup {
  id: string;
  name: string;
  disks: string[];
  /** In the order of `disks`. */
  snapshots: string[];
  state: 'cutting' | 'cut' | 'deleting';
  createdAt: string;
}

export interface SnapshotGroupView extends Omit<SnapshotGroup, 'snapshots'> {
  /** All that are of it, also those that a delete which is not at its end has taken away. */
  snapshotIds: string[];
  snapshots: SnapshotView[];
  ready: boolean;
}

export interface Page<Item> {
  items: Item[];
  /** Given as `token` for the next page; missing on the last one. */
  next?: string;
}

export interface PageQuery {
  limit?: number;
  token?: string;
}

export interface CreateDiskRequest {
  /** Unique in the cloud. The same request again gives the same disk. */
  name: string;
  /** Defaults to a new one: for vendors whose ids are of another form. */
  id?: string;
  zone: string;
  sizeBytes: number;
  type?: string;
  cache?: CacheMode;
  source?: DiskSource;
}

export interface CreateSnapshotRequest {
  name: string;
  disk: string;
}

export interface CreateSnapshotGroupRequest {
  name: string;
  disks: string[];
}
