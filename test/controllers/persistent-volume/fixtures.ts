import type {
  ObjectMeta,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
  Pod,
  StorageClass,
} from '../../../api/types.ts';
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import { until } from '../../environment.ts';

/** A volume of 1Gi, RWO, in a hostPath that nobody uses. */
export const aVolume = (
  name: string,
  spec: PersistentVolumeSpec = {},
  metadata: ObjectMeta = {},
): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name, ...metadata },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteOnce'],
    ...(spec.csi === undefined && spec.local === undefined && spec.nfs === undefined
      ? { hostPath: { path: `/tmp/bb-${name}` } }
      : {}),
    ...spec,
  },
});

/** A claim of 1Gi, RWO, of no class. */
export const aClaim = (
  name: string,
  { size = '1Gi', ...spec }: PersistentVolumeClaimSpec & { size?: string } = {},
  metadata: ObjectMeta = {},
): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'default', ...metadata },
  spec: {
    accessModes: ['ReadWriteOnce'],
    storageClassName: '',
    resources: { requests: { storage: size } },
    ...spec,
  },
});

export const aStorageClass = (
  name: string,
  { metadata, ...fields }: Partial<StorageClass> = {},
): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name, ...metadata },
  provisioner: 'kubernetes.io/no-provisioner',
  ...fields,
});

/** A pod that mounts these claims. */
export const aPodWith = (name: string, claims: string[], spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    containers: [{ name: 'main', image: 'busybox' }],
    volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
    ...spec,
  },
});

/** Short words for what the storage tests do again and again. */
export const storageClient = (client: Client) => {
  const claims = client.resource(persistentVolumeClaims);
  const volumes = client.resource(persistentVolumes);
  const getClaim = (name: string) => claims.get({ name, namespace: 'default' });
  const getVolume = (name: string) => volumes.get({ name });
  return {
    getClaim,
    getVolume,
    createClaim: (...options: Parameters<typeof aClaim>) => claims.create({ object: aClaim(...options) }),
    createVolume: (...options: Parameters<typeof aVolume>) => volumes.create({ object: aVolume(...options) }),
    createClass: (...options: Parameters<typeof aStorageClass>) =>
      client.resource(storageClasses).create({ object: aStorageClass(...options) }),
    deleteClaim: (name: string) => claims.delete({ name, namespace: 'default' }),
    deleteVolume: (name: string) => volumes.delete({ name }),
    patchClaim: (name: string, patch: object) =>
      claims.patch({ name, namespace: 'default', type: 'merge', patch }),
    patchVolume: (name: string, patch: object) => volumes.patch({ name, type: 'merge', patch }),
    claimIn: (name: string, phase: string) =>
      until(`claim ${name} is ${phase}`, async () => {
        const claim = await getClaim(name);
        return claim.status?.phase === phase && claim;
      }),
    volumeIn: (name: string, phase: string) =>
      until(`volume ${name} is ${phase}`, async () => {
        const volume = await getVolume(name);
        return volume.status?.phase === phase && volume;
      }),
  };
};

/** The status that the scheduler gives a pod for which there is no node. */
export const podStatusOf = (reason: 'Unschedulable') => ({
  conditions: [{ type: 'PodScheduled', status: 'False', reason, lastTransitionTime: '2026-01-01T00:00:00Z' }],
});
