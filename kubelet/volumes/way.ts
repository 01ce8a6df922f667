import type { Device } from './devices/device.ts';
import type { SetUpOptions } from './plugin.ts';
import { VolumeError } from './volume-error.ts';
import type { VolumeEventReason } from './volume-error.ts';
import type { VolumeMode, VolumeSpec } from './volume-spec.ts';

/** A volume is mounted as a file system, or mapped as a device: the words of its steps and events differ. */
export interface Way {
  /** Such as `MountVolume.WaitForAttach failed`, of `WaitForAttach`. */
  step: (name: string) => string;
  reason: VolumeEventReason;
}

const ways: Record<VolumeMode, Way> = {
  Filesystem: { step: (name) => `MountVolume.${name} failed`, reason: 'FailedMount' },
  Block: { step: (name) => `MapVolume.${name} failed`, reason: 'FailedMapVolume' },
};

export const wayOf = ({ mode }: Pick<VolumeSpec, 'mode'>): Way => ways[mode];

/**
 * ReadWriteOncePod is the scheduler's to enforce; the kubelet is the last to see two Pods that were bound past it. Throws VolumeError
 * in upstream's words.
 */
export const refuseSecondPod = (
  device: Device,
  { spec, podUid, retry }: Pick<SetUpOptions, 'spec' | 'podUid' | 'retry'>,
): void => {
  const [mode, ...others] = spec.persistentVolume?.spec?.accessModes ?? [];
  if (mode !== 'ReadWriteOncePod' || others.length > 0 || !device.isPublishedElsewhere(podUid)) return;
  const { step, reason } = wayOf(spec);
  device.whenReleased(retry);
  throw new VolumeError({
    step: step(spec.mode === 'Block' ? 'SetUpDevice' : 'SetUp'),
    volumeName: spec.name,
    why: 'volume uses the ReadWriteOncePod access mode and is already in use by another pod',
    reason,
  });
};
