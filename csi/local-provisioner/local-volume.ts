import { quantityOf } from '../../api/quantity.ts';
import { provisionedBy } from '../../api/storage/annotations.ts';
import type { Node, PersistentVolume, StorageClass } from '../../api/types.ts';

const hostname = 'kubernetes.io/hostname';
const MiB = 2 ** 20;
const GiB = 2 ** 30;

export interface LocalVolumeOptions {
  node: Node;
  storageClass: StorageClass;
  /** The entry in the class's folder. */
  fileName: string;
  path: string;
  capacityBytes: number;
  volumeMode?: string | undefined;
  accessMode?: string | undefined;
  /** For a block device that is to be a file system. */
  fsType?: string | undefined;
}

/** The PersistentVolume of a disk, as sig-storage-local-static-provisioner's pkg/common CreateLocalPVSpec makes it. */
export const localVolume = ({
  node,
  storageClass,
  fileName,
  path,
  capacityBytes,
  volumeMode = 'Filesystem',
  accessMode = 'ReadWriteOnce',
  fsType,
}: LocalVolumeOptions): PersistentVolume => {
  const { mountOptions, metadata } = storageClass;
  const className = metadata?.name ?? '';
  const nodeName = node.metadata?.name ?? '';
  const terms = [{ key: hostname, operator: 'In', values: [node.metadata?.labels?.[hostname] ?? nodeName] }];
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: volumeNameFor({ fileName, nodeName, className }),
      annotations: { [provisionedBy]: provisionerName(node) },
    },
    spec: {
      persistentVolumeReclaimPolicy: reclaimPolicyOf(storageClass),
      capacity: { storage: quantityOf(roundedDown(capacityBytes), 'BinarySI') },
      local: { path, ...(fsType === undefined ? {} : { fsType }) },
      accessModes: [accessMode],
      storageClassName: className,
      volumeMode,
      ...(mountOptions === undefined ? {} : { mountOptions }),
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: terms }] } },
    },
  };
};

export const reclaimPolicyOf = ({ reclaimPolicy }: StorageClass): string => reclaimPolicy ?? 'Delete';

/** The same disk has the same name again, so that two provisioners at once can't make two volumes of it. */
export const volumeNameFor = ({
  fileName,
  nodeName,
  className,
}: {
  fileName: string;
  nodeName: string;
  className: string;
}): string => `local-pv-${fnv1a(`${fileName}${nodeName}${className}`).toString(16)}`;

/** FNV-1a of 32 bits over the text's UTF-8 (Go's hash/fnv New32a). */
const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
};

/** Down to whole GiB, or MiB, when there are at least ten: easier to read. */
export const roundedDown = (bytes: number): number => {
  const unit = [GiB, MiB].find((each) => bytes >= 10 * each) ?? 1;
  return Math.floor(bytes / unit) * unit;
};

/** What stands in a volume's provisioned-by: upstream's, by node and its uid. */
const provisionerName = ({ metadata }: Node): string =>
  `local-volume-provisioner-${metadata?.name ?? ''}-${metadata?.uid ?? ''}`;

/** Whether this node's provisioner made the volume, be it in an earlier life of the node (under another uid). */
export const isMadeOn = ({ metadata }: PersistentVolume, nodeName: string): boolean => {
  const provisioner = metadata?.annotations?.[provisionedBy] ?? '';
  const prefix = `local-volume-provisioner-${nodeName}-`;
  return (
    provisioner.startsWith(prefix) &&
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(provisioner.slice(prefix.length))
  );
};
