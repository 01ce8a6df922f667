import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type {
  CSIDriverSpec,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeSpec,
  Pod,
  PodSpec,
} from '../../../../api/types.ts';
import {
  csiDrivers,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  volumeAttachments,
} from '../../../../client/resources.ts';
import { attachmentNameOf, uniqueVolumeName } from '../../../../api/storage/attachment.ts';
import type { KubeletOptions } from '../../../../kubelet/kubelet-options.ts';
import { mountsBelow, unmountBelow } from '../../../../linux/mount-info.ts';
import { startBench } from '../../kubelet-on-fakes.ts';
import type { Bench } from '../../kubelet-on-fakes.ts';
import { startFakeNodeDriver } from './fake-node-driver.ts';
import type { FakeNodeDriver, FakeNodeDriverOptions } from './fake-node-driver.ts';
import { until } from '../../../environment.ts';

/** A kubelet on a real API server with a fake driver; the test itself is the controller that binds and attaches. */
export interface StorageBench extends Bench {
  driver: FakeNodeDriver;
  rootDir: string;
  /** Makes a volume and its claim of the same name, bound to each other. */
  makeVolume(name: string, options?: VolumeOptions): Promise<PersistentVolumeClaim>;
  attach(name: string, metadata?: Record<string, string>): Promise<void>;
  detach(name: string): Promise<void>;
  makePod(name: string, claims: string[], spec?: Partial<PodSpec>): Promise<Pod>;
  deletePod(name: string): Promise<void>;
  running(name: string): Promise<Pod>;
  volumesInUse(): Promise<string[]>;
  mounts(): string[];
}

export interface VolumeOptions {
  spec?: Partial<PersistentVolumeSpec>;
  csi?: Partial<NonNullable<PersistentVolumeSpec['csi']>>;
  /** Undefined leaves the claim Pending. */
  bound?: boolean;
}

export interface StorageBenchOptions {
  driver?: Partial<FakeNodeDriverOptions>;
  /** The driver's CSIDriver; none when not given. */
  driverSpec?: CSIDriverSpec;
  kubelet?: Partial<KubeletOptions>;
}

const namespace = 'default';

export const startStorageBench = async (
  t: ExecutionContext,
  options: StorageBenchOptions = {},
): Promise<StorageBench> => {
  const bench = await startBench(t, options.kubelet);
  const { client, dir, nodeName } = bench;
  const rootDir = join(dir, 'kubelet');
  if (options.driverSpec !== undefined) {
    const name = options.driver?.name ?? 'ee-fake.csi.podwright.io';
    const object = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name },
      spec: options.driverSpec,
    };
    await client.resource(csiDrivers).create({ object });
  }
  const driver = await startFakeNodeDriver({ rootDir, ...options.driver });
  t.teardown(async () => {
    await driver.stop();
    unmountBelow(dir);
  });
  await until('registration', () => driver.notifications.length > 0);

  const setAttached = async (change: (names: Set<string>) => void) => {
    const node = await client.resource(nodes).get({ name: nodeName });
    const names = new Set((node.status?.volumesAttached ?? []).map(({ name }) => name));
    change(names);
    const volumesAttached = [...names].map((name) => ({ name, devicePath: '' }));
    await client.resource(nodes).patch({
      name: nodeName,
      type: 'merge',
      subresource: 'status',
      patch: { status: { volumesAttached } },
    });
  };
  const handleOf = (name: string) => `handle-${name}`;

  return {
    ...bench,
    get kubelet() {
      return bench.kubelet;
    },
    driver,
    rootDir,
    async makeVolume(name, { spec = {}, csi = {}, bound = true } = {}) {
      const claim = await client.resource(persistentVolumeClaims).create({
        object: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name, namespace },
          spec: {
            accessModes: spec.accessModes ?? ['ReadWriteOnce'],
            resources: { requests: { storage: '1Gi' } },
            storageClassName: spec.storageClassName ?? '',
            volumeName: name,
            volumeMode: spec.volumeMode ?? 'Filesystem',
          },
        },
      });
      const volume: PersistentVolume = {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name },
        spec: {
          accessModes: ['ReadWriteOnce'],
          capacity: { storage: '1Gi' },
          persistentVolumeReclaimPolicy: 'Retain',
          claimRef: {
            name,
            namespace,
            uid: claim.metadata?.uid ?? '',
            kind: 'PersistentVolumeClaim',
            apiVersion: 'v1',
          },
          ...(spec.local || spec.hostPath || spec.nfs || spec.iscsi
            ? {}
            : { csi: { driver: driver.name, volumeHandle: handleOf(name), fsType: 'ext4', ...csi } }),
          ...spec,
        },
      };
      await client.resource(persistentVolumes).create({ object: volume });
      return bound ? bind(bench, name) : claim;
    },
    async attach(name, metadata = {}) {
      const attachment = attachmentNameOf({ driver: driver.name, handle: handleOf(name) }, nodeName);
      await client.resource(volumeAttachments).create({
        object: {
          apiVersion: 'storage.k8s.io/v1',
          kind: 'VolumeAttachment',
          metadata: { name: attachment },
          spec: { attacher: driver.name, nodeName, source: { persistentVolumeName: name } },
        },
      });
      await client.resource(volumeAttachments).patch({
        name: attachment,
        type: 'merge',
        subresource: 'status',
        patch: { status: { attached: true, attachmentMetadata: metadata } },
      });
      await setAttached((names) =>
        names.add(uniqueVolumeName({ driver: driver.name, handle: handleOf(name) })),
      );
    },
    async detach(name) {
      await setAttached((names) =>
        names.delete(uniqueVolumeName({ driver: driver.name, handle: handleOf(name) })),
      );
      await client
        .resource(volumeAttachments)
        .delete({ name: attachmentNameOf({ driver: driver.name, handle: handleOf(name) }, nodeName) });
    },
    makePod: (name, claims, spec = {}) =>
      bench.createPod({
        metadata: { name },
        spec: {
          terminationGracePeriodSeconds: 1,
          volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
          containers: [
            {
              name: 'main',
              image: 'busybox',
              volumeMounts: claims.map((claim) => ({ name: claim, mountPath: `/${claim}` })),
            },
          ],
          ...spec,
        },
      }),
    async deletePod(name) {
      await client.request({ method: 'DELETE', path: `/api/v1/namespaces/default/pods/${name}` });
      await bench.gone(name);
    },
    running: (name) => bench.podUntil(name, ({ status }) => status?.phase === 'Running'),
    async volumesInUse() {
      const { status } = await client.resource(nodes).get({ name: nodeName });
      return [...(status?.volumesInUse ?? [])];
    },
    mounts: () => mountsBelow(rootDir).map(({ mountPoint }) => mountPoint.slice(rootDir.length + 1)),
  };
};

/** As the PersistentVolume controller does. */
export const bind = ({ client }: Bench, name: string): Promise<PersistentVolumeClaim> =>
  client.resource(persistentVolumeClaims).patch({
    name,
    namespace,
    type: 'merge',
    subresource: 'status',
    patch: { status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] } },
  });

/** What is in a folder, or nothing. */
export const listed = (path: string): string[] => (existsSync(path) ? readdirSync(path).toSorted() : []);
