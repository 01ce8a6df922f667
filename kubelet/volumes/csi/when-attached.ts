import type { Device } from '../devices/device.ts';
import type { SetUpOptions } from '../plugin.ts';
import { asVolumeError } from '../volume-error.ts';
import { refuseSecondPod, wayOf } from '../way.ts';
import { publishContextOf } from './attachment.ts';
import type { CsiContext } from './context.ts';
import { csiSourceOf } from './csi-source.ts';
import { holdDevice } from './device-of.ts';

export interface AttachedVolume {
  device: Device;
  /** What the attacher has left for the driver. */
  publishContext: Record<string, string>;
}

/**
 * Does the work when the PersistentVolume may be used here: the node has said that it is in use, it is attached, and nothing else is
 * being done with it. Rejects with VolumeError for what stands in the way, and with the signal's reason.
 */
export const whenAttached = async <T>(
  context: CsiContext,
  options: SetUpOptions,
  work: (volume: AttachedVolume) => Promise<T>,
): Promise<T> => {
  const { spec, signal } = options;
  const { driver, volumeHandle: handle } = csiSourceOf(spec);
  const blockName = spec.mode === 'Block' ? spec.name : undefined;
  const device = holdDevice(context, options, { driver, handle, blockName });
  await context.driverObjects.get(driver);
  await context.devices.waitForAttach(device, signal);
  return device.inTurn(async () => {
    signal.throwIfAborted();
    refuseSecondPod(device, options);
    const publishContext = device.isAttachable ? await contextOfAttachment(context, spec) : {};
    return work({ device, publishContext });
  });
};

const contextOfAttachment = async (
  context: CsiContext,
  spec: SetUpOptions['spec'],
): Promise<Record<string, string>> => {
  const { driver, volumeHandle: handle } = csiSourceOf(spec);
  try {
    return await publishContextOf(context, { driver, handle });
  } catch (error) {
    const { step, reason } = wayOf(spec);
    throw asVolumeError(error, { step: step('WaitForAttach'), volumeName: spec.name, reason });
  }
};
