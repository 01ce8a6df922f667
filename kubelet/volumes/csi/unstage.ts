import { errorInWords } from '../../../csi/error.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { csiTimeoutMs } from '../../plugin-registration/csi-drivers.ts';
import { referencesInTheWay } from '../devices/mount-references.ts';
import { removeReady } from '../ready-file.ts';
import type { CsiContext } from './context.ts';
import { globalMount, stagedDirectory } from './paths.ts';
import { driverFor } from './driver-for.ts';
import { loadVolumeData, removeTarget } from './volume-data.ts';

/**
 * NodeUnstageVolume of a file system, when there are notes of a stage. Idempotent. Rejects with Error in upstream's words, also
 * while something is mounted from it. Upstream: csi_attacher.go UnmountDevice.
 */
export const unstage = async (
  context: Pick<CsiContext, 'rootDir' | 'drivers'>,
  { driver: driverName, handle }: { driver: string; handle: string },
): Promise<void> => {
  const { rootDir, drivers } = context;
  const directory = stagedDirectory(rootDir, driverName, handle);
  const stagingTargetPath = globalMount(rootDir, driverName, handle);
  if (loadVolumeData(directory) === undefined) return;
  const references = referencesInTheWay(stagingTargetPath, rootDir);
  if (references.length > 0) {
    throw new Error(
      `GetDeviceMountRefs check failed: the device mount path "${stagingTargetPath}" is still mounted by other references [${references.join(' ')}]`,
    );
  }
  const driver = driverFor(drivers, driverName, 'attacher.UnmountDevice failed to create newCsiDriverClient');
  // First: what is half unstaged must not look staged after a crash.
  removeReady(directory);
  await failpoint('kubelet.unstage.before-call');
  if (await driver.supports('STAGE_UNSTAGE_VOLUME')) {
    await driver.node
      .nodeUnstageVolume({ volumeId: handle, stagingTargetPath }, { timeoutMs: csiTimeoutMs })
      .catch((error: unknown) => {
        throw new Error(`kubernetes.io/csi: attacher.UnmountDevice failed: ${errorInWords(error)}`, {
          cause: error,
        });
      });
  }
  await failpoint('kubelet.unstage.after-call');
  removeTarget(stagingTargetPath);
};
