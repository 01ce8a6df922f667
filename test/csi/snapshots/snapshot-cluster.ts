import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types.ts';
import { systemClock } from '../../../client/clock.ts';
import { createRecorders } from '../../../client/controller.ts';
import type { ControllerFactory } from '../../../client/controller.ts';
import { isNotFound } from '../../../client/errors.ts';
import { createInformerFactory } from '../../../client/informer-factory.ts';
import type { ApiObject, ResourceId } from '../../../client/objects.ts';
import { events, persistentVolumeClaims, persistentVolumes } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import { csiSnapshotter } from '../../../csi/sidecars/snapshotter/csi-snapshotter.ts';
import type { CsiSnapshotterOptions } from '../../../csi/sidecars/snapshotter/csi-snapshotter.ts';
import { snapshotController } from '../../../csi/snapshots/controller.ts';
import { installSnapshotCrds } from '../../../csi/snapshots/install-crds.ts';
import {
  volumeSnapshotClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../../csi/snapshots/resources.ts';
import type {
  VolumeSnapshot,
  VolumeSnapshotClass,
  VolumeSnapshotContent,
} from '../../../csi/snapshots/types.ts';
import { startTestApiServer, testLog } from '../../client/api-server.ts';
import { patience, until } from '../../environment.ts';
import { driverName, startFakeDriver } from './fake-driver.ts';
import type { FakeDriverOptions } from './fake-driver.ts';

/** Runs controllers as a process does; each run has its own informers. */
export const runControllers = (client: Client, factories: ControllerFactory[]) => {
  const shared = { client, clock: systemClock, log: testLog };
  const recorders = createRecorders(shared);
  const onError = (error: unknown) => testLog.warn({ err: error }, 'informer');
  const informers = createInformerFactory({ client, clock: systemClock, onError });
  const recorder = (component: string) => recorders.recorder(component);
  const controllers = factories.map((factory) => factory({ ...shared, informers, recorder }));
  informers.start();
  return {
    async stop() {
      await informers.stop();
      await Promise.all(controllers.map((controller) => controller.stop()));
      recorders.stop();
    },
  };
};

export interface SnapshotClusterOptions extends FakeDriverOptions {
  snapshotter?: Partial<CsiSnapshotterOptions>;
}

/** An API server with the custom resources of snapshots, a fake driver, the snapshot controller and the driver's csi-snapshotter. */
export const startSnapshotCluster = async ({ snapshotter = {}, ...fake }: SnapshotClusterOptions = {}) => {
  const server = await startTestApiServer();
  const client = await server.admin();
  await installSnapshotCrds({ client, signal: AbortSignal.timeout(60_000 * patience) });
  const driver = await startFakeDriver(fake);
  const sidecar = () => csiSnapshotter({ driver: driver.driver, retryStartMs: 5, ...snapshotter });
  let controllers = [runControllers(client, [snapshotController(), sidecar()])];

  const found = async <T extends ApiObject>(resource: ResourceId<T>, name: string, namespace?: string) =>
    client
      .resource(resource)
      .get({ name, namespace })
      .catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
  const snapshot = (name: string) => found(volumeSnapshots, name, 'default');
  const content = (name: string) => found(volumeSnapshotContents, name);

  return {
    client,
    driver,
    found,
    snapshot,
    content,
    /** Ends the controllers in the midst of what they do, as a death of the process would. */
    stopControllers: async () => {
      await Promise.all(controllers.map((running) => running.stop()));
      controllers = [];
    },
    startControllers: (which: 'both' | 'common' | 'sidecar' = 'both') => {
      const factories = [
        ...(which === 'sidecar' ? [] : [snapshotController()]),
        ...(which === 'common' ? [] : [sidecar()]),
      ];
      controllers.push(runControllers(client, factories));
    },
    /** A claim bound to a CSI volume. */
    boundClaim: (name: string, volume: Partial<VolumeOptions> = {}) =>
      createBoundClaim(client, { name, ...volume }),
    createClass: (options: Partial<VolumeSnapshotClass> & { name: string; isDefault?: boolean }) =>
      client.resource(volumeSnapshotClasses).create({ object: snapshotClass(options) }),
    createSnapshot: (name: string, spec: VolumeSnapshot['spec']) =>
      client.resource(volumeSnapshots).create({ object: aSnapshot(name, spec) }),
    createContent: (name: string, spec: VolumeSnapshotContent['spec']) =>
      client.resource(volumeSnapshotContents).create({
        object: {
          apiVersion: 'snapshot.storage.k8s.io/v1',
          kind: 'VolumeSnapshotContent',
          metadata: { name },
          spec,
        },
      }),
    deleteSnapshot: (name: string) => client.resource(volumeSnapshots).delete({ name, namespace: 'default' }),
    claim: (name: string) => found(persistentVolumeClaims, name, 'default'),
    whenReady: (name: string) =>
      until(`snapshot ${name} is ready`, async () => {
        const now = await snapshot(name);
        return now?.status?.readyToUse === true && now;
      }),
    whenFailed: (name: string, message: string | RegExp) =>
      until(`snapshot ${name} says ${String(message)}`, async () => {
        const now = await snapshot(name);
        const said = now?.status?.error?.message ?? '';
        return (typeof message === 'string' ? said === message : message.test(said)) && now;
      }),
    whenGone: async <T extends ApiObject>(resource: ResourceId<T>, name: string, namespace?: string) => {
      await until(
        `${resource.resource} ${name} is gone`,
        async () => (await found(resource, name, namespace)) === undefined,
      );
    },
    /** `reason: message` of the events about the object of this name, once one of this reason is there. */
    whenTold: (name: string, reason: string) =>
      until(`event ${reason} about ${name}`, async () => {
        const { items } = await client.resource(events).list({ namespace: 'default' });
        const about = items.filter(({ involvedObject }) => involvedObject.name === name);
        const told = about.map((event) => `${event.reason ?? ''}: ${event.message ?? ''}`);
        return told.some((text) => text.startsWith(`${reason}: `)) && told;
      }),
    async stop() {
      await Promise.all(controllers.map((running) => running.stop()));
      await driver.stop();
      await server.stop();
    },
  };
};

export type SnapshotCluster = Awaited<ReturnType<typeof startSnapshotCluster>>;

export const aSnapshot = (name: string, spec: VolumeSnapshot['spec']): VolumeSnapshot => ({
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshot',
  metadata: { name, namespace: 'default' },
  spec,
});

export const ofClaim = (
  persistentVolumeClaimName: string,
  volumeSnapshotClassName?: string,
): VolumeSnapshot['spec'] => ({
  source: { persistentVolumeClaimName },
  ...(volumeSnapshotClassName === undefined ? {} : { volumeSnapshotClassName }),
});

const snapshotClass = ({
  name,
  isDefault = false,
  deletionPolicy = 'Delete',
  driver = driverName,
  parameters = {},
}: Partial<VolumeSnapshotClass> & { name: string; isDefault?: boolean }): VolumeSnapshotClass => ({
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshotClass',
  metadata: {
    name,
    ...(isDefault ? { annotations: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' } } : {}),
  },
  deletionPolicy,
  driver,
  parameters,
});

interface VolumeOptions {
  name: string;
  labels: Record<string, string>;
  driver: string;
  phase: 'Pending' | 'Bound';
}

/** Binding is another controller's work: here both are written as bound. */
const createBoundClaim = async (
  client: Client,
  { name, labels = {}, driver = driverName, phase = 'Bound' }: Partial<VolumeOptions> & { name: string },
): Promise<PersistentVolumeClaim> => {
  const capacity = { storage: '1Gi' };
  const claim = await client.resource(persistentVolumeClaims).create({
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'default', labels },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: capacity },
        storageClassName: '',
        volumeName: `pv-${name}`,
      },
    },
  });
  await client.resource(persistentVolumes).create({ object: aVolume(name, driver, claim) });
  if (phase === 'Pending') return claim;
  return client.resource(persistentVolumeClaims).patch({
    name,
    namespace: 'default',
    subresource: 'status',
    type: 'merge',
    patch: { status: { phase, capacity, accessModes: ['ReadWriteOnce'] } },
  });
};

const aVolume = (name: string, driver: string, claim: PersistentVolumeClaim): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: `pv-${name}` },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    csi: { driver, volumeHandle: `volume-${name}` },
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      name,
      namespace: 'default',
      uid: claim.metadata?.uid ?? '',
    },
  },
});
