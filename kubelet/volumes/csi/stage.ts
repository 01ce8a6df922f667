import { mkdirSync } from 'node:fs';
import { errorInWords, isFinalError } from '../../../csi/error.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { csiTimeoutMs } from '../../plugin-registration/csi-drivers.ts';
import type { Device } from '../devices/device.ts';
import { mountStateOf } from '../mount-state.ts';
import { fsGroupOf } from '../ownership.ts';
import type { SetUpOptions } from '../plugin.ts';
import { setMountedThisBoot } from '../ready-file.ts';
import { asVolumeError } from '../volume-error.ts';
import { capabilityOf } from './capability.ts';
import type { CsiContext } from './context.ts';
import { csiSourceOf } from './csi-source.ts';
import { driverFor } from './driver-for.ts';
import { globalMount, stagedDirectory } from './paths.ts';
import { readSecret } from './secrets.ts';
import { removeFailedTarget, saveVolumeData } from './volume-data.ts';

export interface StageOptions extends Pick<SetUpOptions, 'spec' | 'pod'> {
  device: Device;
  publishContext: Record<string, string>;
}

/**
 * NodeStageVolume of a file system, unless the volume is staged. Rejects with VolumeError `MountVolume.MountDevice failed`.
 * Upstream: csi_attacher.go MountDevice.
 */
export const stage = async (context: CsiContext, options: StageOptions): Promise<void> => {
  const { device, spec } = options;
  try {
    await device.stage((begin) => stageNow(context, { ...options, begin }), isFinalError);
  } catch (error) {
    const step = 'MountVolume.MountDevice failed';
    throw asVolumeError(error, { step, volumeName: spec.name, why: errorInWords(error) });
  }
};

const stageNow = async (
  context: CsiContext,
  { spec, pod, publishContext, begin }: StageOptions & { begin: () => void },
): Promise<void> => {
  const { rootDir, client, drivers } = context;
  const { driver: driverName, volumeHandle, ...source } = csiSourceOf(spec);
  const driver = driverFor(drivers, driverName, 'attacher.MountDevice failed to create newCsiDriverClient');
  if (!(await driver.supports('STAGE_UNSTAGE_VOLUME'))) return;
  const secrets = await readSecret(client, source.nodeStageSecretRef, 'NodeStageSecretRef');
  const delegated = await driver.supports('VOLUME_MOUNT_GROUP');
  const mountFlags = spec.persistentVolume?.spec?.mountOptions ?? [];
  const volumeCapability = await capabilityOf(driver, spec, {
    mount: { fsType: source.fsType ?? '', mountFlags, fsGroup: delegated ? fsGroupOf(pod) : undefined },
  });
  const directory = stagedDirectory(rootDir, driverName, volumeHandle);
  const stagingTargetPath = globalMount(rootDir, driverName, volumeHandle);
  const state = await mountStateOf(stagingTargetPath);
  begin();
  // What is mounted is the driver's to clear up (upstream too), and its server must not be asked here.
  if (state === 'not mounted') mkdirSync(stagingTargetPath, { recursive: true, mode: 0o750 });
  saveVolumeData(directory, { driverName, volumeHandle, specVolID: spec.name });
  await failpoint('kubelet.stage.before-call');
  try {
    await driver.node.nodeStageVolume(
      {
        volumeId: volumeHandle,
        publishContext,
        stagingTargetPath,
        volumeCapability,
        secrets,
        volumeContext: source.volumeAttributes ?? {},
      },
      { timeoutMs: csiTimeoutMs },
    );
  } catch (error) {
    if (isFinalError(error)) removeFailedTarget(stagingTargetPath);
    throw error;
  }
  await failpoint('kubelet.stage.after-call');
  setMountedThisBoot(directory);
};
