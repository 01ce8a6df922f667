import { lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { failpoint } from '../../../../linux/failpoint.ts';
import { mountAt } from '../../../../linux/mount-info.ts';
import { unmountWaiting } from '../../../../linux/mount.ts';
import { hasCode } from '../../../../linux/system-error.ts';
import { CsiError } from '../../../error.ts';
import type { NodeUnpublishVolumeRequest, NodeUnpublishVolumeResponse } from '../../../types.ts';
import { required } from '../capabilities.ts';
import { alone } from './context.ts';
import type { NodeContext } from './context.ts';

/** Takes a volume from its target path, and the path away. Nothing there: done (CSI spec, NodeUnpublishVolume). */
export async function nodeUnpublishVolume(
  context: NodeContext,
  request: NodeUnpublishVolumeRequest,
): Promise<NodeUnpublishVolumeResponse> {
  const volumeId = required('volume_id', request.volumeId);
  const target = required('target_path', request.targetPath);
  return await alone(context, volumeId, async () => {
    await failpoint('csi.unpublish-node.before-unmount');
    while (mountAt(target) !== undefined) await unmountWaiting(target, { ifMounted: true });
    await failpoint('csi.unpublish-node.after-unmount');
    removeTarget(target);
    return {};
  });
}

/** Only an empty directory or a file: what is in a directory is not ours, and is never deleted. */
function removeTarget(target: string): void {
  try {
    if (lstatSync(target).isDirectory()) rmdirSync(target);
    else unlinkSync(target);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw new CsiError(
      'INTERNAL',
      `target path ${target} could not be removed: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
