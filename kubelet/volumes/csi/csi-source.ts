import type { CSIPersistentVolumeSource } from '../../../api/types.ts';
import type { VolumeSpec } from '../volume-spec.ts';

/** The CSI source of a PersistentVolume. Throws Error when it has none. */
export const csiSourceOf = ({ persistentVolume, name }: VolumeSpec): CSIPersistentVolumeSource => {
  const source = persistentVolume?.spec?.csi;
  if (source === undefined) throw new Error(`persistent volume ${name} has no CSI source`);
  return source;
};
