import { mkdirSync } from 'node:fs';
import { errorInWords, isFinalError } from '../../../csi/error.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { csiTimeoutMs } from '../../plugin-registration/csi-drivers.ts';
import { setMountedThisBoot } from '../ready-file.ts';
import { asVolumeError } from '../volume-error.ts';
import { removeBlockFolders } from './block-folders.ts';
import { capabilityOf } from './capability.ts';
import type { CsiContext } from './context.ts';
import { csiSourceOf } from './csi-source.ts';
import { attachmentNameOf } from '../../../api/storage/attachment.ts';
import { blockPaths } from './paths.ts';
import { readSecret } from './secrets.ts';
import { driverFor } from './driver-for.ts';
import type { StageOptions } from './stage.ts';
import { saveVolumeData } from './volume-data.ts';

/**
 * NodeStageVolume of a block volume, unless it is staged. Rejects with VolumeError `MapVolume.SetUpDevice failed`.
 * Upstream: csi_block.go SetUpDevice.
 */
export const stageBlock = async (context: CsiContext, options: StageOptions): Promise<void> => {
  const { device, spec } = options;
  try {
    await device.stage((begin) => stageNow(context, { ...options, begin }), isFinalError);
  } catch (error) {
    const step = 'MapVolume.SetUpDevice failed';
    const why = errorInWords(error);
    throw asVolumeError(error, { step, volumeName: spec.name, why, reason: 'FailedMapVolume' });
  }
};

const stageNow = async (
  context: CsiContext,
  { spec, publishContext, begin }: StageOptions & { begin: () => void },
): Promise<void> => {
  const { rootDir, client, drivers, nodeName } = context;
  const { driver: driverName, volumeHandle, ...source } = csiSourceOf(spec);
  const driver = driverFor(drivers, driverName, 'blockMapper.SetUpDevice failed to get CSI client');
  const secrets = await readSecret(client, source.nodeStageSecretRef, 'NodeStageSecretRef');
  const volumeCapability = await capabilityOf(driver, spec, {});
  const { staging, data } = blockPaths(rootDir, spec.name);
  begin();
  mkdirSync(data, { recursive: true, mode: 0o750 });
  const attachmentID = attachmentNameOf({ driver: driverName, handle: volumeHandle }, nodeName);
  saveVolumeData(data, { specVolID: spec.name, volumeHandle, driverName, nodeName, attachmentID });
  if (await driver.supports('STAGE_UNSTAGE_VOLUME')) {
    mkdirSync(staging, { recursive: true, mode: 0o750 });
    await failpoint('kubelet.stage.before-call');
    try {
      await driver.node.nodeStageVolume(
        {
          volumeId: volumeHandle,
          publishContext,
          stagingTargetPath: staging,
          volumeCapability,
          secrets,
          volumeContext: source.volumeAttributes ?? {},
        },
        { timeoutMs: csiTimeoutMs },
      );
    } catch (error) {
      if (isFinalError(error)) await removeBlockFolders(rootDir, spec.name);
      throw error;
    }
    await failpoint('kubelet.stage.after-call');
  }
  setMountedThisBoot(data);
};
