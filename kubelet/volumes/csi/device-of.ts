import type { Device } from '../devices/device.ts';
import type { VolumePlace } from '../plugin.ts';
import type { VolumeSpec } from '../volume-spec.ts';
import type { CsiContext } from './context.ts';
import { csiSourceOf } from './csi-source.ts';
import { attachRequired } from './driver-objects.ts';
import { uniqueVolumeName } from '../../../api/storage/attachment.ts';
import { unstageBlock } from './unstage-block.ts';
import { unstage } from './unstage.ts';

/** A volume behind a driver, as it is known without its PersistentVolume too. */
export interface CsiVolume {
  driver: string;
  handle: string;
  /** The PersistentVolume's name, by which the folders of a block volume are called; undefined: a file system. */
  blockName?: string | undefined;
}

/** What the node has of the volume, made when it is not known yet. */
export const deviceOf = (
  context: CsiContext,
  volume: CsiVolume,
  { state }: { state?: 'staged' | 'uncertain' } = {},
): Device => {
  const { driver, handle, blockName } = volume;
  return context.devices.device({
    uniqueName: uniqueVolumeName({ driver, handle }),
    isAttachable: () => attachRequired(context.driverObjects.known(driver)),
    unstage: () =>
      blockName === undefined
        ? unstage(context, { driver, handle })
        : unstageBlock(context, { driver, handle, blockName }),
    ...(state === undefined ? {} : { state }),
  });
};

/** The Pod's volume takes hold of what the node has of it. Idempotent. */
export const holdDevice = (
  context: CsiContext,
  { directory, podUid }: Pick<VolumePlace, 'directory' | 'podUid'>,
  volume: CsiVolume,
): Device => {
  const device = deviceOf(context, volume);
  context.held.set(directory, device);
  device.hold(podUid);
  return device;
};

/** Does the work that takes the volume out of the Pod, and lets go of what the Pod held. */
export const releaseDevice = async (
  { held }: CsiContext,
  { directory, podUid }: VolumePlace,
  takeAway: () => Promise<void>,
): Promise<void> => {
  const device = held.get(directory);
  if (device === undefined) return takeAway();
  await device.inTurn(takeAway);
  held.delete(directory);
  device.release(podUid);
};

/** Whether a controller has attached the volume here, if one has to. */
export const isAttached = ({ devices }: CsiContext, spec: VolumeSpec): boolean => {
  if (spec.persistentVolume === undefined) return true;
  const { driver, volumeHandle } = csiSourceOf(spec);
  const device = devices.find(uniqueVolumeName({ driver, handle: volumeHandle }));
  return device === undefined || devices.isAttached(device);
};
