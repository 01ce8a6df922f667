import { failpoint } from '../../../../linux/failpoint.ts';
import type { CreateSnapshotRequest, CreateSnapshotResponse } from '../../../types.ts';
import { required } from '../capabilities.ts';
import { getVolume } from './context.ts';
import type { ControllerContext } from './context.ts';
import { refuseParameters } from './parameters.ts';
import { snapshotOf } from './snapshot.ts';

/**
 * Takes a snapshot of a disk, in use or not. Where the pool cannot clone it is answered before it is copied, with
 * ready_to_use false; the same call again tells how it is now (CSI spec, CreateSnapshot).
 */
export async function createSnapshot(
  context: ControllerContext,
  request: CreateSnapshotRequest,
): Promise<CreateSnapshotResponse> {
  const name = required('name', request.name);
  const handle = required('source_volume_id', request.sourceVolumeId);
  refuseParameters(request.parameters);
  const { id } = await getVolume(context, handle);
  await failpoint('csi.create-snapshot.before-snapshot');
  const snapshot = await context.cloud.createSnapshot({ name, disk: id });
  await failpoint('csi.create-snapshot.after-snapshot');
  return { snapshot: snapshotOf(context.vendor, snapshot) };
}
