import { inTreePluginOfVolume, translateInTreeVolume } from '../../csi/translation/index.ts';
import type { PersistentVolume, PersistentVolumeClaim, Volume } from '../../api/types.ts';

/** A volume of a Pod as its plugin takes it: what the Pod itself says, or the PersistentVolume behind its claim. */
export interface VolumeSpec {
  /** The PersistentVolume's name, else that of the Pod's volume. It names the volume's folder. */
  name: string;
  volume: Volume;
  /** In-tree disks of clouds are translated to CSI already. */
  persistentVolume?: PersistentVolume | undefined;
  claim?: PersistentVolumeClaim | undefined;
  /** The Pod uses its claim read-only. */
  readOnly: boolean;
  mode: VolumeMode;
}

/** Whether containers get a directory or a device. */
export type VolumeMode = 'Filesystem' | 'Block';

/** A volume that the Pod describes itself; one of a cloud's in-tree disks becomes a PersistentVolume of its CSI driver. */
export const specOf = (volume: Volume): VolumeSpec => {
  const readOnly = volume.csi?.readOnly ?? volume.nfs?.readOnly ?? false;
  const own: VolumeSpec = { name: volume.name, volume, readOnly, mode: 'Filesystem' };
  if (inTreePluginOfVolume(volume) === undefined) return own;
  const persistentVolume = translateInTreeVolume(volume);
  const disk = volume.gcePersistentDisk ?? volume.awsElasticBlockStore;
  return {
    ...own,
    name: persistentVolume.metadata?.name ?? volume.name,
    persistentVolume,
    readOnly: disk?.readOnly ?? false,
  };
};

/** The volume is behind a claim: one that the Pod names, or one made for the Pod. */
export const isClaimed = ({ persistentVolumeClaim, ephemeral }: Volume): boolean =>
  persistentVolumeClaim !== undefined || ephemeral !== undefined;
