import type { Snapshot, Timestamp } from '../../../types.ts';
import type { SnapshotView } from '../cloud/types.ts';
import type { Vendor } from '../vendor.ts';

/** A snapshot as CSI describes it. */
export function snapshotOf(vendor: Vendor, snapshot: SnapshotView): Snapshot {
  const { id, sizeBytes, disk, diskName, zone, createdAt, state, group = '' } = snapshot;
  return {
    snapshotId: id,
    sizeBytes,
    sourceVolumeId: vendor.handleOf({ id: disk, name: diskName, zone }),
    creationTime: timestampOf(createdAt),
    readyToUse: state === 'ready',
    groupSnapshotId: group,
  };
}

export function timestampOf(time: string): Timestamp {
  const ms = Date.parse(time);
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
}
