import { checkNodeAffinity } from '../claims/node-affinity.ts';
import type { Device } from '../devices/device.ts';
import type { SetUpOptions } from '../plugin.ts';
import { asVolumeError, VolumeError } from '../volume-error.ts';
import type { VolumeEventReason } from '../volume-error.ts';
import { publishContextOf } from './attachment.ts';
import type { CsiContext } from './context.ts';
import { csiSourceOf } from './csi-source.ts';
import { deviceOf } from './device-of.ts';

export interface AttachedVolume {
  device: Device;
  /** What the attacher has left for the driver. */
  publishContext: Record<string, string>;
}

/** A volume is mounted as a file system, or mapped as a device. */
export type Way = 'MountVolume' | 'MapVolume';

const reasons: Record<Way, VolumeEventReason> = { MountVolume: 'FailedMount', MapVolume: 'FailedMapVolume' };

/**
 * Does the work when the PersistentVolume may be used here: the node has said that it is in use, it is attached, and nothing else is
 * being done with it. Rejects with VolumeError for what stands in the way.
 */
export const whenAttached = async <T>(
  context: CsiContext,
  { spec, podUid, signal }: SetUpOptions,
  way: Way,
  work: (volume: AttachedVolume) => Promise<T>,
): Promise<T> => {
  const { driver, volumeHandle: handle } = csiSourceOf(spec);
  const blockName = spec.mode === 'Block' ? spec.name : undefined;
  const device = deviceOf(context, { driver, handle, blockName });
  const failed = (step: string) => (error: unknown) => {
    throw asVolumeError(error, {
      step: `${way}.${step} failed`,
      volumeName: spec.name,
      reason: reasons[way],
    });
  };
  device.hold(podUid);
  await context.driverObjects.get(driver);
  await context.devices.waitForAttach(device, signal);
  return device.inTurn(async () => {
    signal.throwIfAborted();
    await Promise.try(() => checkHere(context, spec)).catch(failed('NodeAffinity check'));
    refuseSecondPod({ device, spec, podUid, way });
    const publishContext = device.isAttachable
      ? await publishContextOf(context, { driver, handle }).catch(failed('WaitForAttach'))
      : {};
    return work({ device, publishContext });
  });
};

const checkHere = ({ ownNode }: CsiContext, spec: SetUpOptions['spec']): void => {
  const node = ownNode.node();
  if (node !== undefined) checkNodeAffinity(spec, node);
};

/** ReadWriteOncePod is the scheduler's to enforce; the kubelet is the last to see two Pods that were bound past it. */
const refuseSecondPod = ({
  device,
  spec,
  podUid,
  way,
}: Pick<SetUpOptions, 'spec' | 'podUid'> & { device: Device; way: Way }): void => {
  const [mode, ...others] = spec.persistentVolume?.spec?.accessModes ?? [];
  if (mode !== 'ReadWriteOncePod' || others.length > 0 || !device.isPublishedElsewhere(podUid)) return;
  throw new VolumeError({
    step: way === 'MountVolume' ? 'MountVolume.SetUp failed' : 'MapVolume.SetUpDevice failed',
    volumeName: spec.name,
    why: 'volume uses the ReadWriteOncePod access mode and is already in use by another pod',
    reason: reasons[way],
  });
};
