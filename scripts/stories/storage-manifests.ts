/** The objects of the storage story, as a reader would write them in YAML. */
export const NAMESPACE = 'story';
export const DRIVER = 'loop-disk.csi.podwright.io';
export const ZONE_LABEL = 'topology.kubernetes.io/zone';

const metadata = (name: string) => ({ name, namespace: NAMESPACE });

/** Disks of one zone only, made when a Pod that wants one has been given a node. */
export const diskClass = (zone: string, reclaimPolicy: 'Delete' | 'Retain' = 'Delete') => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'disk' },
  provisioner: DRIVER,
  parameters: { 'csi.storage.k8s.io/fstype': 'ext4' },
  reclaimPolicy,
  allowVolumeExpansion: true,
  volumeBindingMode: 'WaitForFirstConsumer',
  allowedTopologies: [{ matchLabelExpressions: [{ key: ZONE_LABEL, values: [zone] }] }],
});

interface ClaimOptions {
  name: string;
  storageClassName: string;
  size: string;
  /** Name of a VolumeSnapshot whose content the disk begins with. */
  snapshot?: string;
}

export const claim = ({ name, storageClassName, size, snapshot }: ClaimOptions) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: metadata(name),
  spec: {
    storageClassName,
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: size } },
    ...(snapshot === undefined
      ? {}
      : { dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: snapshot } }),
  },
});

/** A Pod that holds a claim at /data, and ends at once when it is asked to. */
export const holder = (name: string, claimName: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata(name),
  spec: {
    containers: [
      {
        name: 'main',
        image: 'busybox',
        command: ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 1 & wait; done"],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
  },
});

export const snapshotOf = (name: string, claimName: string) => ({
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshot',
  metadata: metadata(name),
  spec: { source: { persistentVolumeClaimName: claimName } },
});

/** Volumes that somebody else makes; which one fits is decided when a Pod has been given a node. */
export const localClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'local-storage' },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
};

/** A folder of one node as a volume. */
export const localVolume = (name: string, { node, path }: { node: string; path: string }) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Retain',
    storageClassName: localClass.metadata.name,
    local: { path },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
        ],
      },
    },
  },
});
