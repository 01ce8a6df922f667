import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { betaStorageProvisioner, storageProvisioner } from '../../api/storage/annotations.ts';
import type {
  CSINode,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  StorageClass,
} from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import type { ApiObject, ResourceId } from '../../client/objects.ts';
import {
  csiNodes,
  events,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
} from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import { startSidecars } from '../../csi/start-sidecars.ts';
import type { SidecarsOptions } from '../../csi/start-sidecars.ts';
import { startTestApiServer, testLog } from '../client/api-server.ts';
import { until } from '../environment.ts';
import { createFakeDriver } from './fake-driver.ts';
import type { FakeDriver, FakeDriverOptions } from './fake-driver.ts';

export const driverName = 'fake.csi.example.com';

export interface Rig {
  client: Client;
  driver: FakeDriver;
  restartSidecars(): Promise<void>;
  /** The object, or undefined when it isn't there. */
  get<T extends ApiObject>(resource: ResourceId<T>, key: string): Promise<T | undefined>;
  /** Waits until the object is as asked. */
  seen<T extends ApiObject>(
    resource: ResourceId<T>,
    key: string,
    condition: (object: T) => boolean,
  ): Promise<T>;
  gone(resource: ResourceId, key: string): Promise<void>;
  /** Waits for an event of an object, by its reason, and gives its message. */
  eventOf(name: string, reason: string, matching?: RegExp): Promise<string>;
  eventsOf(name: string): Promise<{ reason: string; message: string; type: string }[]>;
}

export interface RigOptions extends Partial<Omit<FakeDriverOptions, 'socketPath'>> {
  sidecars?: Partial<SidecarsOptions>;
  timeoutMs?: number;
  /** The driver isn't started. */
  driverDown?: boolean;
}

/** An API server, a fake driver and its sidecars. Everything ends with the test. */
export async function startRig(t: ExecutionContext, options: RigOptions = {}): Promise<Rig> {
  const { sidecars: sidecarOptions, timeoutMs, driverDown = false, ...driverOptions } = options;
  const folder = await mkdtemp(join(tmpdir(), 'cc-sidecars-'));
  const server = await startTestApiServer();
  const driver = createFakeDriver({ socketPath: join(folder, 'csi.sock'), ...driverOptions });
  if (!driverDown) await driver.start();
  const client = await server.admin();
  const start = async () =>
    startSidecars({
      client: await server.clientAs('system:kube-controller-manager', ['system:masters']),
      log: testLog,
      drivers: [
        {
          name: driverName,
          socketPath: driver.socketPath,
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        },
      ],
      snapshots: false,
      ...sidecarOptions,
    });
  let sidecars = await start();
  t.teardown(async () => {
    await sidecars.stop();
    await driver.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    driver,
    ...reader(client),
    async restartSidecars() {
      await sidecars.stop();
      sidecars = await start();
    },
  };
}

const reader = (client: Client): Omit<Rig, 'driver' | 'restartSidecars'> => {
  const get: Rig['get'] = (resource, key) =>
    client
      .resource(resource)
      .get(nameOf(key))
      .catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
  const eventsOf = async (name: string) => {
    const { items } = await client.resource(events).list();
    return items
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ reason = '', message = '', type = '' }) => ({ reason, message, type }));
  };
  return {
    client,
    get,
    eventsOf,
    seen: (resource, key, condition) =>
      until(`${resource.resource} ${key} is as asked`, async () => {
        const object = await get(resource, key);
        return object !== undefined && condition(object) ? object : undefined;
      }),
    async gone(resource, key) {
      await until(
        `${resource.resource} ${key} is gone`,
        async () => (await get(resource, key)) === undefined,
      );
    },
    eventOf: (name, reason, matching = /^/) =>
      until(`event ${reason} of ${name}`, async () => {
        const found = (await eventsOf(name)).filter((event) => event.reason === reason);
        return found.find(({ message }) => matching.test(message))?.message;
      }),
  };
};

const nameOf = (key: string) => {
  const [first = '', second] = key.split('/');
  return second === undefined ? { name: first } : { namespace: first, name: second };
};

export const createClass = (
  { client }: Rig,
  { name = 'fast', ...fields }: Partial<StorageClass> & { name?: string } = {},
): Promise<StorageClass> =>
  client.resource(storageClasses).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name },
      provisioner: driverName,
      ...fields,
    },
  });

/** A claim as the PV controller leaves it to the provisioner. */
export const createClaim = (
  { client }: Rig,
  name: string,
  {
    annotations = {},
    ...spec
  }: Partial<PersistentVolumeClaimSpec> & { annotations?: Record<string, string> } = {},
): Promise<PersistentVolumeClaim> =>
  client.resource(persistentVolumeClaims).create({
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name,
        namespace: 'default',
        annotations: {
          [storageProvisioner]: driverName,
          [betaStorageProvisioner]: driverName,
          ...annotations,
        },
      },
      spec: {
        storageClassName: 'fast',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        ...spec,
      },
    },
  });

/** What the PV controller does once the volume is there. */
export async function bind({ client }: Rig, claim: PersistentVolumeClaim): Promise<PersistentVolume> {
  const volumeName = `pvc-${claim.metadata?.uid}`;
  const { name = '', namespace } = claim.metadata ?? {};
  const claims = client.resource(persistentVolumeClaims);
  const volumes = client.resource(persistentVolumes);
  const volume = await volumes.get({ name: volumeName });
  await claims.patch({ name, namespace, type: 'merge', patch: { spec: { volumeName } } });
  const { accessModes, capacity } = volume.spec ?? {};
  const status = { phase: 'Bound', accessModes, capacity };
  await claims.patch({ name, namespace, type: 'merge', subresource: 'status', patch: { status } });
  return volumes.patch({
    name: volumeName,
    type: 'merge',
    subresource: 'status',
    patch: { status: { phase: 'Bound' } },
  });
}

/** What the PV controller does when the claim is gone. */
export const release = ({ client }: Rig, volumeName: string): Promise<PersistentVolume> =>
  client.resource(persistentVolumes).patch({
    name: volumeName,
    type: 'merge',
    subresource: 'status',
    patch: { status: { phase: 'Released' } },
  });

/** A node with labels on which the driver is registered with these topology keys. */
export async function createNode(
  { client }: Rig,
  name: string,
  labels: Record<string, string> = {},
): Promise<{ node: Node; csiNode: CSINode }> {
  const node = await client
    .resource(nodes)
    .create({ object: { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } } });
  const csiNode = await client.resource(csiNodes).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: { name },
      spec: {
        drivers: [
          { name: driverName, nodeID: `id-of-${name}`, topologyKeys: Object.keys(labels).toSorted() },
        ],
      },
    },
  });
  return { node, csiNode };
}
