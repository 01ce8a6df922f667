import { existsSync } from 'node:fs';
import { errorInWords } from '../../../csi/error.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { csiTimeoutMs } from '../../plugin-registration/csi-drivers.ts';
import { removeReady } from '../ready-file.ts';
import { removeBlockFolders } from './block-folders.ts';
import type { CsiContext } from './context.ts';
import { blockPaths } from './paths.ts';
import { driverFor } from './driver-for.ts';
import { loadVolumeData } from './volume-data.ts';

/** NodeUnstageVolume of a block volume, when there are notes of it. Idempotent. Upstream: csi_block.go TearDownDevice. */
export const unstageBlock = async (
  { rootDir, drivers }: Pick<CsiContext, 'rootDir' | 'drivers'>,
  { driver: driverName, handle, blockName }: { driver: string; handle: string; blockName: string },
): Promise<void> => {
  const { staging, data } = blockPaths(rootDir, blockName);
  if (loadVolumeData(data) === undefined) return;
  const driver = driverFor(drivers, driverName, 'blockMapper.TearDownDevice failed to get CSI client');
  removeReady(data);
  await failpoint('kubelet.unstage.before-call');
  if (existsSync(staging)) {
    await driver.node
      .nodeUnstageVolume({ volumeId: handle, stagingTargetPath: staging }, { timeoutMs: csiTimeoutMs })
      .catch((error: unknown) => {
        throw new Error(`blockMapper.unstageVolumeForBlock failed: ${errorInWords(error)}`, { cause: error });
      });
  }
  await failpoint('kubelet.unstage.after-call');
  await removeBlockFolders(rootDir, blockName);
};
