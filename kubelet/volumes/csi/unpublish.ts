import { rmSync } from 'node:fs';
import { errorInWords } from '../../../csi/error.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { unmountBelow } from '../../../linux/mount-info.ts';
import { csiTimeoutMs } from '../../plugin-registration/csi-drivers.ts';
import type { VolumePlace } from '../plugin.ts';
import type { CsiContext } from './context.ts';
import { publishTarget } from './paths.ts';
import { driverFor } from './driver-for.ts';
import { removeTarget } from './volume-data.ts';
import type { VolumeData } from './volume-data.ts';

/**
 * NodeUnpublishVolume of a Pod's file system, and the end of its folder. Idempotent. Rejects with Error in upstream's words.
 * Without notes no driver was called, or nobody knows which: then the kubelet itself unmounts. Upstream: csi_mounter.go TearDownAt.
 */
export const unpublish = async (
  { drivers }: Pick<CsiContext, 'drivers'>,
  { directory, metaDirectory }: VolumePlace,
  data: VolumeData | undefined,
): Promise<void> => {
  const targetPath = publishTarget(directory);
  // First: a half-removed volume must not look ready after a crash.
  rmSync(metaDirectory, { recursive: true, force: true });
  if (data === undefined) {
    unmountBelow(directory);
    return removeTarget(targetPath);
  }
  const driver = driverFor(drivers, data.driverName, 'Unmounter.TearDownAt failed to get CSI client');
  await failpoint('kubelet.unpublish.before-call');
  await driver.node
    .nodeUnpublishVolume({ volumeId: data.volumeHandle, targetPath }, { timeoutMs: csiTimeoutMs })
    .catch((error: unknown) => {
      throw new Error(`kubernetes.io/csi: Unmounter.TearDownAt failed: ${errorInWords(error)}`, {
        cause: error,
      });
    });
  await failpoint('kubelet.unpublish.after-call');
  removeTarget(targetPath);
};
