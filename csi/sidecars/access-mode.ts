import type { VolumeCapability, VolumeCapabilityAccessModeMode } from '../types.ts';

/**
 * The one CSI access mode for a volume's Kubernetes access modes (kubernetes-csi/csi-lib-utils accessmodes). Drivers with
 * SINGLE_NODE_MULTI_WRITER tell ReadWriteOnce (many Pods of a node) and ReadWriteOncePod (one Pod) apart.
 * Throws an Error for a combination that CSI has no word for.
 */
export function csiAccessMode(
  accessModes: readonly string[],
  { singleNodeMultiWriter }: { singleNodeMultiWriter: boolean },
): VolumeCapabilityAccessModeMode {
  const modes = new Set(accessModes);
  if (modes.has('ReadWriteOncePod')) {
    if (modes.size > 1)
      throw new Error(
        'Kubernetes does not support use of ReadWriteOncePod with other access modes on the same PersistentVolume',
      );
    return singleNodeMultiWriter ? 'SINGLE_NODE_SINGLE_WRITER' : 'SINGLE_NODE_WRITER';
  }
  if (modes.has('ReadWriteMany')) return 'MULTI_NODE_MULTI_WRITER';
  if (modes.has('ReadOnlyMany') && modes.has('ReadWriteOnce'))
    throw new Error('CSI does not support ReadOnlyMany and ReadWriteOnce on the same PersistentVolume');
  if (modes.has('ReadOnlyMany')) return 'MULTI_NODE_READER_ONLY';
  if (modes.has('ReadWriteOnce'))
    return singleNodeMultiWriter ? 'SINGLE_NODE_MULTI_WRITER' : 'SINGLE_NODE_WRITER';
  throw new Error(`unsupported AccessMode combination: [${accessModes.join(' ')}]`);
}

export interface CapabilityOptions {
  accessModes: readonly string[];
  volumeMode: string | undefined;
  fsType: string;
  mountOptions: readonly string[] | undefined;
  singleNodeMultiWriter: boolean;
}

/** How a volume is to be used: as a block device or a mount of this file system, and by whom. Throws like csiAccessMode. */
export function volumeCapability(options: CapabilityOptions): VolumeCapability {
  const accessMode = { mode: csiAccessMode(options.accessModes, options) };
  if (options.volumeMode === 'Block') return { accessMode, block: {} };
  const mountFlags = [...(options.mountOptions ?? [])];
  return { accessMode, mount: { fsType: options.fsType, mountFlags, volumeMountGroup: '' } };
}
