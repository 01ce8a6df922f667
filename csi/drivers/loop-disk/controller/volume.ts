import type { ListVolumesResponseVolumeStatus, Volume } from '../../../types.ts';
import type { DiskView } from '../cloud/types.ts';
import type { Vendor } from '../vendor.ts';

/** A disk as CSI describes a volume. */
export function volumeOf(vendor: Vendor, disk: DiskView): Volume {
  return {
    volumeId: vendor.handleOf(disk),
    capacityBytes: disk.sizeBytes,
    volumeContext: {},
    contentSource: null,
    accessibleTopology: [{ segments: vendor.topology(disk) }],
  };
}

/** Where a disk is attached, and whether it is as it should be. */
export function statusOf(vendor: Vendor, disk: DiskView): ListVolumesResponseVolumeStatus {
  return {
    publishedNodeIds: disk.attachments.map(({ instance }) =>
      vendor.nodeIdOf({ name: instance, zone: disk.zone }),
    ),
    volumeCondition: { abnormal: !disk.health.ok, message: disk.health.message },
  };
}
