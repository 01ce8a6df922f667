import { failpoint } from '../../../../linux/failpoint.ts';
import { CsiError } from '../../../error.ts';
import type {
  CreateVolumeGroupSnapshotRequest,
  CreateVolumeGroupSnapshotResponse,
  DeleteVolumeGroupSnapshotRequest,
  DeleteVolumeGroupSnapshotResponse,
  GetVolumeGroupSnapshotRequest,
  GetVolumeGroupSnapshotResponse,
  GroupControllerGetCapabilitiesResponse,
  VolumeGroupSnapshot,
} from '../../../types.ts';
import { required } from '../capabilities.ts';
import { CloudError } from '../cloud/errors.ts';
import type { SnapshotGroupView } from '../cloud/types.ts';
import { getVolume } from '../controller/context.ts';
import type { ControllerContext } from '../controller/context.ts';
import { refuseParameters } from '../controller/parameters.ts';
import { snapshotOf, timestampOf } from '../controller/snapshot.ts';
import type { Vendor } from '../vendor.ts';

/** What the group controller service can do. */
export const groupControllerGetCapabilities = (): GroupControllerGetCapabilitiesResponse => ({
  capabilities: [{ rpc: { type: 'CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT' } }],
});

/**
 * Takes snapshots of several volumes at one moment. The same name and volumes again: the same group (CSI spec,
 * CreateVolumeGroupSnapshot).
 */
export async function createVolumeGroupSnapshot(
  context: ControllerContext,
  request: CreateVolumeGroupSnapshotRequest,
): Promise<CreateVolumeGroupSnapshotResponse> {
  const name = required('name', request.name);
  const { sourceVolumeIds } = request;
  if (sourceVolumeIds.length === 0)
    throw new CsiError('INVALID_ARGUMENT', 'source_volume_ids are missing in the request');
  refuseParameters(request.parameters);
  const disks = await Promise.all(sourceVolumeIds.map((handle) => getVolume(context, handle)));
  const group = await context.cloud.createSnapshotGroup({ name, disks: disks.map(({ id }) => id) });
  await failpoint('csi.create-group-snapshot.after-group');
  return { groupSnapshot: groupOf(context.vendor, group) };
}

/**
 * Deletes a group and its snapshots; one that is not there is deleted. INVALID_ARGUMENT when snapshots are named that
 * are not of it.
 */
export async function deleteVolumeGroupSnapshot(
  { cloud }: ControllerContext,
  { groupSnapshotId, snapshotIds }: DeleteVolumeGroupSnapshotRequest,
): Promise<DeleteVolumeGroupSnapshotResponse> {
  required('group_snapshot_id', groupSnapshotId);
  try {
    checkMembers(await cloud.getSnapshotGroup(groupSnapshotId), snapshotIds);
  } catch (error) {
    if (error instanceof CloudError && error.code === 'GROUP_NOT_FOUND') return {};
    throw error;
  }
  await cloud.deleteSnapshotGroup(groupSnapshotId);
  return {};
}

/** A group as it is now. NOT_FOUND; INVALID_ARGUMENT when snapshots are named that are not of it. */
export async function getVolumeGroupSnapshot(
  { cloud, vendor }: ControllerContext,
  { groupSnapshotId, snapshotIds }: GetVolumeGroupSnapshotRequest,
): Promise<GetVolumeGroupSnapshotResponse> {
  const group = await cloud.getSnapshotGroup(required('group_snapshot_id', groupSnapshotId));
  checkMembers(group, snapshotIds);
  return { groupSnapshot: groupOf(vendor, group) };
}

function checkMembers(group: SnapshotGroupView, ids: string[]): void {
  const stranger = ids.find((id) => !group.snapshotIds.includes(id));
  if (stranger === undefined) return;
  throw new CsiError(
    'INVALID_ARGUMENT',
    `snapshot '${stranger}' is not part of group snapshot '${group.id}'`,
  );
}

const groupOf = (vendor: Vendor, group: SnapshotGroupView): VolumeGroupSnapshot => ({
  groupSnapshotId: group.id,
  snapshots: group.snapshots.map((snapshot) => snapshotOf(vendor, snapshot)),
  creationTime: timestampOf(group.createdAt),
  readyToUse: group.ready,
});
