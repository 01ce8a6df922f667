import type { VolumeUsage } from '../../../csi/types.ts';
import { csiTimeoutMs } from '../../plugin-registration/csi-drivers.ts';
import type { PluginVolumeStats, VolumePlace } from '../plugin.ts';
import type { VolumeSpec } from '../volume-spec.ts';
import type { CsiContext } from './context.ts';
import { inlineHandle } from './paths.ts';

/** NodeGetVolumeStats; undefined when the driver has none. Rejects with CsiError. Upstream: csi_metrics.go. */
export const csiStats = async (
  { drivers }: Pick<CsiContext, 'drivers'>,
  { spec, place, volumePath }: { spec: VolumeSpec; place: VolumePlace; volumePath: string },
): Promise<PluginVolumeStats | undefined> => {
  const source = spec.persistentVolume?.spec?.csi;
  const driver = drivers.find(source?.driver ?? spec.volume.csi?.driver ?? '');
  if (driver === undefined || !(await driver.supports('GET_VOLUME_STATS'))) return undefined;
  const volumeId = source?.volumeHandle ?? inlineHandle(place.podUid, spec.name);
  const answer = await driver.node.nodeGetVolumeStats({ volumeId, volumePath }, { timeoutMs: csiTimeoutMs });
  const usageIn = (unit: VolumeUsage['unit']) => answer.usage.find((usage) => usage.unit === unit);
  const [bytes, inodes] = [usageIn('BYTES'), usageIn('INODES')];
  const hasCondition = await driver.supports('VOLUME_CONDITION');
  const condition = hasCondition ? (answer.volumeCondition ?? { abnormal: false, message: '' }) : undefined;
  return {
    usedBytes: bytes?.used ?? 0,
    capacityBytes: bytes?.total ?? 0,
    availableBytes: bytes?.available ?? 0,
    inodesUsed: inodes?.used ?? 0,
    inodes: inodes?.total ?? 0,
    inodesFree: inodes?.available ?? 0,
    condition,
  };
};
