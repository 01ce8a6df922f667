import { randomBytes } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { canClone } from '../../../../linux/sparse-file.ts';
import { createLocks } from './locks.ts';
import type { Locks } from './locks.ts';
import { openRecords } from './records.ts';
import type { Records } from './records.ts';
import type { CopyTask } from './copy-task.ts';
import type { Disk, Instance, Snapshot, SnapshotGroup, Zone } from './types.ts';

export interface CloudLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export type ZoneRecord = Omit<Zone, 'allocatedBytes'>;

/**
 * The state of the cloud. On the disk, below `dir`:
 *
 *   records/{zones,instances,disks,snapshots,snapshot-groups}/NAME.json     what is wanted: written first
 *   REGION/ZONE/DISK.img                                                    the disks, sparse files
 *   REGION/snapshots/SNAPSHOT.img
 *
 * A restart reads the records and makes the rest agree with them (recover.ts).
 */
export interface Cloud {
  dir: string;
  log: CloudLog;
  /** Files of the pool can share their blocks: copies take no time. */
  canClone: boolean;
  zones: Records<ZoneRecord>;
  instances: Records<Instance>;
  disks: Records<Disk>;
  snapshots: Records<Snapshot>;
  groups: Records<SnapshotGroup>;
  locks: Locks;
  /** The block device of each attached disk, by the disk's id. */
  devices: Map<string, string>;
  /** Copies under way, and the last failure of those that did not end well, by the id of what they make. */
  copies: Map<string, CopyTask>;
  /** How many copies read from a disk or snapshot now, by its id. */
  readers: Map<string, number>;
  /** Asked for and not recorded yet, by the zone's or instance's name. */
  reservedBytes: Map<string, number>;
  reservedDisks: Map<string, number>;
}

export function openCloud(options: { dir: string; log: CloudLog }): Cloud {
  const { log } = options;
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const dir = realpathSync(options.dir); // as the kernel names the files behind loop devices
  const records = <Record>(kind: string) => openRecords<Record>(join(dir, 'records', kind));
  return {
    dir,
    log,
    canClone: canClone(dir),
    zones: records('zones'),
    instances: records('instances'),
    disks: records('disks'),
    snapshots: records('snapshots'),
    groups: records('snapshot-groups'),
    locks: createLocks(),
    devices: new Map(),
    copies: new Map(),
    readers: new Map(),
    reservedBytes: new Map(),
    reservedDisks: new Map(),
  };
}

/** Where a disk's content is. */
export const diskImage = (cloud: Cloud, { region, zone, id }: Pick<Disk, 'region' | 'zone' | 'id'>): string =>
  join(cloud.dir, region, zone, `${id}.img`);

/** Where a snapshot's content is. */
export const snapshotImage = (cloud: Cloud, { region, id }: Pick<Snapshot, 'region' | 'id'>): string =>
  join(cloud.dir, region, 'snapshots', `${id}.img`);

/** A new id, such as `d-3f1c9a0b52d7e6884a10`. */
export const newId = (prefix: 'd' | 's' | 'g'): string => `${prefix}-${randomBytes(10).toString('hex')}`;

/** Adds to a counter for as long as the returned object lives. */
export function reserve(counters: Map<string, number>, key: string, amount: number): Disposable {
  const change = (by: number) => {
    const now = (counters.get(key) ?? 0) + by;
    if (now === 0) counters.delete(key);
    else counters.set(key, now);
  };
  change(amount);
  return { [Symbol.dispose]: () => change(-amount) };
}
