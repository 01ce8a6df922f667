import type {
  CSINode,
  KubernetesObject,
  PersistentVolume,
  PersistentVolumeClaim,
  PodSpec,
  StorageClass,
  VolumeNodeAffinity,
} from '../../api/types.ts';
import { aPod } from './fixtures.ts';

let count = 0;

/** A claim for 1 GiB in class `late`, which waits for a node; `volumeName` makes it a bound one. */
export const aClaim = ({
  name = 'data',
  size = '1Gi',
  volumeName,
  annotations = {},
  phase,
  deleted = false,
  ...spec
}: {
  name?: string;
  size?: string;
  volumeName?: string;
  annotations?: Record<string, string>;
  phase?: string;
  deleted?: boolean;
} & Partial<NonNullable<PersistentVolumeClaim['spec']>> = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name,
    namespace: 'default',
    uid: `claim-${(count += 1)}`,
    annotations: {
      ...(volumeName === undefined ? {} : { 'pv.kubernetes.io/bind-completed': 'yes' }),
      ...annotations,
    },
    ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: size } },
    storageClassName: 'late',
    ...(volumeName === undefined ? {} : { volumeName }),
    ...spec,
  },
  status: { phase: phase ?? (volumeName === undefined ? 'Pending' : 'Bound') },
});

/** An available volume of 1 GiB in class `late`, reached by nodes of `zone`, or by all. */
export const aVolume = ({
  name = 'pv',
  size = '1Gi',
  zone,
  labels = {},
  phase = 'Available',
  ...spec
}: {
  name?: string;
  size?: string;
  zone?: string;
  labels?: Record<string, string>;
  phase?: string;
} & Partial<NonNullable<PersistentVolume['spec']>> = {}): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name, uid: `volume-${(count += 1)}`, labels },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: size },
    storageClassName: 'late',
    ...(zone === undefined ? {} : { nodeAffinity: inZone(zone) }),
    ...spec,
  },
  status: { phase },
});

export const zoneLabel = 'topology.kubernetes.io/zone';

const inZone = (zone: string): VolumeNodeAffinity => ({
  required: {
    nodeSelectorTerms: [{ matchExpressions: [{ key: zoneLabel, operator: 'In', values: [zone] }] }],
  },
});

/** A class that waits for a node, made by `driver.example`. */
export const aClass = ({
  name = 'late',
  provisioner = 'driver.example',
  zones,
  volumeBindingMode = 'WaitForFirstConsumer',
}: {
  name?: string;
  provisioner?: string;
  zones?: string[];
  volumeBindingMode?: string;
} = {}): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  provisioner,
  volumeBindingMode,
  ...(zones === undefined
    ? {}
    : { allowedTopologies: [{ matchLabelExpressions: [{ key: zoneLabel, values: zones }] }] }),
});

/** The drivers of a node, each with how many volumes it takes. */
export const aCsiNode = ({
  name = 'node-1',
  limits = {},
  migrated = '',
}: {
  name?: string;
  limits?: Record<string, number>;
  migrated?: string;
} = {}): CSINode => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'CSINode',
  metadata: { name, annotations: { 'storage.alpha.kubernetes.io/migrated-plugins': migrated } },
  spec: {
    drivers: Object.entries(limits).map(([driver, count]) => ({
      name: driver,
      nodeID: name,
      allocatable: { count },
    })),
  },
});

/** A pod that uses these claims. */
export const aPodWith = (
  claimNames: string[],
  { name = 'web', ...spec }: { name?: string } & Partial<PodSpec> = {},
) =>
  aPod({
    name,
    volumes: claimNames.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
    ...spec,
  });

/** As it is given to a server, which chooses the uid. */
export const withoutUid = <T extends KubernetesObject>({ metadata, ...object }: T): T => {
  const { uid: _, ...rest } = metadata ?? {};
  // Only the uid is gone.
  return { ...object, metadata: rest } as T;
};
