import { createHash } from 'node:crypto';

const CSI_PLUGIN_PREFIX = 'kubernetes.io/csi/';

/** A volume as its driver knows it. */
export interface DriverVolume {
  driver: string;
  handle: string;
}

/** The name of a volume in node.status.volumesAttached and volumesInUse: `kubernetes.io/csi/<driver>^<handle>`. */
export const uniqueVolumeName = ({ driver, handle }: DriverVolume): string =>
  `${CSI_PLUGIN_PREFIX}${driver}^${handle}`;

/** The opposite of uniqueVolumeName; undefined for names of other plugins. */
export const parseUniqueVolumeName = (uniqueName: string): DriverVolume | undefined => {
  const caret = uniqueName.indexOf('^');
  if (!uniqueName.startsWith(CSI_PLUGIN_PREFIX) || caret < 0) return undefined;
  return { driver: uniqueName.slice(CSI_PLUGIN_PREFIX.length, caret), handle: uniqueName.slice(caret + 1) };
};

/** The name of the VolumeAttachment of a volume on a node (Kubernetes pkg/volume/csi/csi_attacher.go getAttachmentName). */
export const attachmentNameOf = ({ driver, handle }: DriverVolume, nodeName: string): string =>
  `csi-${createHash('sha256').update(`${handle}${driver}${nodeName}`).digest('hex')}`;
