import type { PersistentVolumeSpec, Volume } from '../../api/types.ts';
import type { VolumeSpec } from './volume-spec.ts';

/** Types that upstream has dropped, or that need a network this node has no client for; each with the way that is left. */
const remedies: Partial<Record<keyof Volume | keyof PersistentVolumeSpec, string>> = {
  azureDisk: 'a CSI driver for disk.csi.azure.com',
  azureFile: 'a CSI driver for file.csi.azure.com',
  cephfs: 'a CSI driver for CephFS',
  cinder: 'a CSI driver for cinder.csi.openstack.org',
  fc: 'a local PersistentVolume of the block device, or a CSI driver for Fibre Channel',
  flexVolume: 'a CSI driver',
  flocker: 'a CSI driver',
  glusterfs: 'an nfs volume of the same export, or a CSI driver for GlusterFS',
  iscsi: 'a local PersistentVolume of the block device, or a CSI driver for iSCSI',
  photonPersistentDisk: 'a CSI driver',
  portworxVolume: 'a CSI driver for pxd.portworx.com',
  quobyte: 'a CSI driver for Quobyte',
  rbd: 'a CSI driver for Ceph RBD',
  scaleIO: 'a CSI driver for ScaleIO',
  storageos: 'a CSI driver for StorageOS',
  vsphereVolume: 'a CSI driver for csi.vsphere.vmware.com',
};

/** What to use in place of a volume type that there is no plugin for, as the end of an error message; empty when nothing is known. */
export const refusalOf = ({ volume, persistentVolume, mode }: VolumeSpec): string => {
  const source = { ...volume, ...persistentVolume?.spec };
  for (const [type, remedy] of Object.entries(remedies)) {
    if (Object.hasOwn(source, type)) return `: volumes of type ${type} are not supported; use ${remedy}`;
  }
  return mode === 'Block'
    ? ': this volume type has no volumeMode Block; use Filesystem, or csi or local'
    : '';
};
