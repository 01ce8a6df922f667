import type { VolumeSpec } from '../volume-spec.ts';

export interface FsGroupQuestion {
  spec: VolumeSpec;
  fsType: string;
  fsGroup: number | undefined;
  /** CSIDriver.spec.fsGroupPolicy. */
  policy: string;
}

/** Whether the kubelet gives the volume to the Pod's fsGroup (upstream: csi_mounter.go supportsFSGroup, KEP-1682). */
export const takesFsGroup = ({ spec, fsType, fsGroup, policy }: FsGroupQuestion): boolean => {
  if (fsGroup === undefined || policy === 'None' || spec.readOnly) return false;
  if (policy === 'File') return true;
  if (fsType === '') return false;
  // An inline volume is always the one Pod's own.
  if (spec.persistentVolume === undefined) return true;
  const modes = spec.persistentVolume.spec?.accessModes ?? [];
  return modes.includes('ReadWriteOnce') || modes.includes('ReadWriteOncePod');
};
