import { quantityValue } from '../../../api/quantity.ts';
import { hasCode } from '../../../csi/error.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { csiTimeoutMs } from '../../plugin-registration/csi-drivers.ts';
import type { Device } from '../devices/device.ts';
import type { SetUpOptions } from '../plugin.ts';
import { NotSupportedError, resizeAfterMount, resizeInUse } from '../resize/resize-claim.ts';
import { capabilityOf } from './capability.ts';
import type { CsiContext } from './context.ts';
import { csiSourceOf } from './csi-source.ts';
import { deviceOf } from './device-of.ts';
import { driverFor } from './driver-for.ts';
import { blockPaths, globalMount, publishTarget } from './paths.ts';
import { readSecret } from './secrets.ts';

/** NodeExpandVolume of a volume in use, when its claim's status asks for it. Rejects with VolumeError. */
export const expandInUse = async (context: CsiContext, options: SetUpOptions): Promise<void> => {
  const { spec, pod } = options;
  const { driver, volumeHandle: handle } = csiSourceOf(spec);
  const blockName = spec.mode === 'Block' ? spec.name : undefined;
  const device = deviceOf(context, { driver, handle, blockName });
  const expand = (size: string) => callExpand(context, { ...options, device }, size);
  await device.inTurn(async () => {
    if (!device.growsOnlyUnused) await resizeInUse(context, { spec, pod, device, expand });
  });
};

/** The same for a volume that has just been mounted, and whose turn it is. Rejects with VolumeError. */
export const expandAfterMount = (context: CsiContext, options: ExpandOptions): Promise<void> => {
  const { spec, pod, device } = options;
  return resizeAfterMount(context, {
    spec,
    pod,
    device,
    expand: (size) => callExpand(context, options, size),
  });
};

interface ExpandOptions extends SetUpOptions {
  device: Device;
}

const callExpand = async (context: CsiContext, options: ExpandOptions, size: string): Promise<void> => {
  const { client, rootDir, drivers } = context;
  const { spec, directory, podUid, device } = options;
  const { driver: name, volumeHandle, fsType = '', nodeExpandSecretRef } = csiSourceOf(spec);
  const driver = driverFor(drivers, name, 'Expander.NodeExpand failed to get CSI client');
  if (!(await driver.supports('EXPAND_VOLUME'))) {
    throw new NotSupportedError(`NodeExpand is not supported by the CSI driver ${name}`);
  }
  const isBlock = spec.mode === 'Block';
  const staged = await driver.supports('STAGE_UNSTAGE_VOLUME');
  const { staging, publishDirectory } = blockPaths(rootDir, spec.name);
  const mountFlags = spec.persistentVolume?.spec?.mountOptions ?? [];
  const request = {
    volumeId: volumeHandle,
    volumePath: isBlock ? `${publishDirectory}/${podUid}` : publishTarget(directory),
    stagingTargetPath: staged ? (isBlock ? staging : globalMount(rootDir, name, volumeHandle)) : '',
    capacityRange: { requiredBytes: quantityValue(size) },
    volumeCapability: await capabilityOf(driver, spec, isBlock ? {} : { mount: { fsType, mountFlags } }),
    secrets: await readSecret(client, nodeExpandSecretRef, 'NodeExpandSecretRef'),
  };
  await failpoint('kubelet.expand.before-call');
  await driver.node.nodeExpandVolume(request, { timeoutMs: csiTimeoutMs }).catch((error: unknown) => {
    device.growsOnlyUnused = hasCode(error, 'FAILED_PRECONDITION');
    throw error;
  });
};
