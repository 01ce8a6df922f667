import { failpoint } from '../../../../linux/failpoint.ts';
import { mountAt } from '../../../../linux/mount-info.ts';
import { unmountWaiting } from '../../../../linux/mount.ts';
import type { NodeUnstageVolumeRequest, NodeUnstageVolumeResponse } from '../../../types.ts';
import { required } from '../capabilities.ts';
import { alone } from './context.ts';
import type { NodeContext } from './context.ts';

/**
 * Unmounts a volume from its staging path, everything written; the directory is the caller's. Nothing mounted there:
 * done (CSI spec, NodeUnstageVolume).
 */
export async function nodeUnstageVolume(
  context: NodeContext,
  request: NodeUnstageVolumeRequest,
): Promise<NodeUnstageVolumeResponse> {
  const volumeId = required('volume_id', request.volumeId);
  const target = required('staging_target_path', request.stagingTargetPath);
  return await alone(context, volumeId, async () => {
    await failpoint('csi.unstage.before-unmount');
    while (mountAt(target) !== undefined) await unmountWaiting(target, { ifMounted: true });
    await failpoint('csi.unstage.after-unmount');
    return {};
  });
}
