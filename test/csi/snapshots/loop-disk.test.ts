import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest from 'ava';
import type { TestFn } from 'ava';
import type { PersistentVolumeClaim, TypedObjectReference } from '../../../api/types.ts';
import {
  csiNodes,
  events,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
} from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import { garbageCollector } from '../../../controllers/garbage-collector/garbage-collector.ts';
import { persistentVolumeController } from '../../../controllers/persistent-volume/persistent-volume.ts';
import { claimProtectionController } from '../../../controllers/pvc-protection/pvc-protection.ts';
import { volumeProtectionController } from '../../../controllers/pv-protection/pv-protection.ts';
import {
  detachAllLoops,
  LOOP_DISK,
  startCloud,
  startLoopDiskController,
} from '../../../csi/drivers/loop-disk/index.ts';
import { installSnapshotCrds } from '../../../csi/snapshots/install-crds.ts';
import { memberNames } from '../../../csi/snapshots/names.ts';
import {
  volumeGroupSnapshotClasses,
  volumeGroupSnapshots,
  volumeSnapshotClasses,
  volumeSnapshots,
} from '../../../csi/snapshots/resources.ts';
import { startSidecars } from '../../../csi/start-sidecars.ts';
import { startTestApiServer, testLog } from '../../client/api-server.ts';
import { runTestControllers } from '../../controllers/controller-rig.ts';
import { expectNothingLeft, isRoot, patience, skipUnless, until } from '../../environment.ts';
import { aSnapshot, ofClaim } from './snapshot-cluster.ts';

/** A control plane without nodes over the loop-disk driver: volumes are files here, nobody mounts them. */
interface Context {
  client: Client;
  pool: string;
  stop: () => Promise<void>;
}
const test = anyTest as TestFn<Context>;
const log = { info: () => undefined, warn: () => undefined };

const startCluster = async (): Promise<Context> => {
  const dir = mkdtempSync(join(tmpdir(), 'nn-loop-'));
  const pool = join(dir, 'pool');
  const cloudSocket = join(dir, 'cloud.sock');
  const socketPath = join(dir, 'csi.sock');
  const cloud = await startCloud({ dir: pool, socketPath: cloudSocket, log });
  const driver = await startLoopDiskController({ driverName: LOOP_DISK, socketPath, cloudSocket, log });
  const server = await startTestApiServer();
  const client = await server.admin();
  await installSnapshotCrds({ client, signal: AbortSignal.timeout(60_000 * patience) });
  const controllers = runTestControllers(client, [
    persistentVolumeController(),
    claimProtectionController,
    volumeProtectionController,
    garbageCollector,
  ]);
  const drivers = [{ name: LOOP_DISK, socketPath }];
  const sidecars = await startSidecars({ client, log: testLog, drivers });
  await createNode(client);
  await createClasses(client);
  return {
    client,
    pool,
    async stop() {
      await sidecars.stop();
      await controllers.stop();
      await server.stop();
      await driver.stop();
      await cloud.stop();
      await detachAllLoops({ dir: pool });
      rmSync(dir, { recursive: true, force: true });
      await expectNothingLeft(dir, ['mounts', 'loopDevices']);
    },
  };
};

/** The provisioner asks where nodes are before it asks for a disk. */
const createNode = async (client: Client) => {
  const topology = { 'topology.kubernetes.io/region': 'local', 'topology.kubernetes.io/zone': 'local-a' };
  const metadata = { name: 'node-1' };
  await client.resource(nodes).create({
    object: { apiVersion: 'v1', kind: 'Node', metadata: { ...metadata, labels: topology } },
  });
  await client.resource(csiNodes).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata,
      spec: { drivers: [{ name: LOOP_DISK, nodeID: 'node-1', topologyKeys: Object.keys(topology) }] },
    },
  });
};

const createClasses = async (client: Client) => {
  await client.resource(storageClasses).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'disk' },
      provisioner: LOOP_DISK,
      volumeBindingMode: 'Immediate',
    },
  });
  await client.resource(volumeSnapshotClasses).create({
    object: {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotClass',
      metadata: {
        name: 'disk',
        annotations: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' },
      },
      driver: LOOP_DISK,
      deletionPolicy: 'Delete',
    },
  });
  await client.resource(volumeGroupSnapshotClasses).create({
    object: {
      apiVersion: 'groupsnapshot.storage.k8s.io/v1',
      kind: 'VolumeGroupSnapshotClass',
      metadata: { name: 'disk' },
      driver: LOOP_DISK,
      deletionPolicy: 'Delete',
    },
  });
};

test.before(async (t) => {
  if (isRoot()) t.context = await startCluster();
});
test.after.always((t) => t.context.stop?.());

const createClaim = (
  client: Client,
  {
    name,
    size,
    from,
    labels = {},
  }: { name: string; size: string; from?: TypedObjectReference; labels?: Record<string, string> },
): Promise<PersistentVolumeClaim> =>
  client.resource(persistentVolumeClaims).create({
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'default', labels },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: size } },
        storageClassName: 'disk',
        volumeMode: 'Block',
        ...(from === undefined ? {} : { dataSource: from }),
      },
    },
  });

const fromSnapshot = (name: string): TypedObjectReference => ({
  apiGroup: 'snapshot.storage.k8s.io',
  kind: 'VolumeSnapshot',
  name,
});

/** Waits until the claim has its volume; resolves with the path of the disk's file. */
const imageOf = async ({ client, pool }: Context, name: string): Promise<string> => {
  const claim = await until(`claim ${name} is bound`, async () => {
    const now = await client.resource(persistentVolumeClaims).get({ name, namespace: 'default' });
    return now.status?.phase === 'Bound' && now;
  });
  const volume = await client.resource(persistentVolumes).get({ name: claim.spec?.volumeName ?? '' });
  const handle = volume.spec?.csi?.volumeHandle ?? 'none';
  const found = imagesIn(pool).find((path) => path.endsWith(`/${handle}.img`));
  if (found === undefined) throw new Error(`no image of ${handle} among ${imagesIn(pool).join(', ')}`);
  return found;
};

const imagesIn = (pool: string): string[] =>
  readdirSync(pool, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.img'))
    .map((path) => join(pool, path));

const write = (path: string, text: string, position: number) => {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, text, position);
  } finally {
    closeSync(file);
  }
};

const createSnapshot = async (client: Client, name: string, claim: string) => {
  await client.resource(volumeSnapshots).create({ object: aSnapshot(name, ofClaim(claim)) });
  return whenReady(client, name);
};

const whenReady = (client: Client, name: string) =>
  until(`snapshot ${name} is ready`, async () => {
    const now = await client.resource(volumeSnapshots).get({ name, namespace: 'default' });
    return now.status?.readyToUse === true && now;
  });

const MiB = 2 ** 20;

test.serial('what a snapshot holds comes back byte for byte, also into a larger volume', async (t) => {
  if (skipUnless(t, isRoot(), 'needs root')) return;
  const { client, pool } = t.context;
  await createClaim(client, { name: 'source', size: '32Mi' });
  const source = await imageOf(t.context, 'source');
  write(source, 'precious', 0);
  write(source, 'also precious', 20 * MiB);
  const before = readFileSync(source);
  const { status } = await createSnapshot(client, 'safe', 'source');
  t.is(status?.restoreSize, '32Mi');
  write(source, 'destroyed', 0);
  write(source, 'also destroyed', 20 * MiB);

  await createClaim(client, { name: 'restored', size: '32Mi', from: fromSnapshot('safe') });
  const restored = readFileSync(await imageOf(t.context, 'restored'));
  t.true(before.equals(restored));

  await createClaim(client, { name: 'larger', size: '64Mi', from: fromSnapshot('safe') });
  const larger = await imageOf(t.context, 'larger');
  t.is(statSync(larger).size, 64 * MiB);
  t.true(before.equals(readFileSync(larger).subarray(0, 32 * MiB)));

  await client.resource(volumeSnapshots).delete({ name: 'safe', namespace: 'default' });
  await until(
    'the snapshot is gone from the pool',
    () => !imagesIn(pool).some((path) => path.includes('/snapshots/')),
  );
});

test.serial('a volume smaller than its snapshot is refused', async (t) => {
  if (skipUnless(t, isRoot(), 'needs root')) return;
  const { client } = t.context;
  await createClaim(client, { name: 'big', size: '32Mi' });
  await imageOf(t.context, 'big');
  await createSnapshot(client, 'big', 'big');
  await createClaim(client, { name: 'small', size: '16Mi', from: fromSnapshot('big') });
  const { message } = await until('the refusal is told', async () => {
    const { items } = await client.resource(events).list({ namespace: 'default' });
    return items.find(
      ({ involvedObject, reason }) => involvedObject.name === 'small' && reason === 'ProvisioningFailed',
    );
  });
  t.regex(
    message ?? '',
    /requested volume size 16777216 is less than the size 33554432 for the source snapshot big/,
  );
});

test.serial('a claim is cloned', async (t) => {
  if (skipUnless(t, isRoot(), 'needs root')) return;
  const { client } = t.context;
  await createClaim(client, { name: 'mother', size: '16Mi' });
  const mother = await imageOf(t.context, 'mother');
  write(mother, 'genes', 5 * MiB);
  await createClaim(client, {
    name: 'child',
    size: '16Mi',
    from: { kind: 'PersistentVolumeClaim', name: 'mother' },
  });
  const child = await imageOf(t.context, 'child');
  t.not(child, mother);
  t.true(readFileSync(mother).equals(readFileSync(child)));
});

test.serial('a member of a group snapshot is restored like any other', async (t) => {
  if (skipUnless(t, isRoot(), 'needs root')) return;
  const { client } = t.context;
  const labels = { app: 'bank' };
  const names = ['debit', 'credit'];
  for (const name of names) {
    await createClaim(client, { name, size: '16Mi', labels });
    write(await imageOf(t.context, name), `balance of ${name}`, 0);
  }
  const group = await client.resource(volumeGroupSnapshots).create({
    object: {
      apiVersion: 'groupsnapshot.storage.k8s.io/v1',
      kind: 'VolumeGroupSnapshot',
      metadata: { name: 'bank', namespace: 'default' },
      spec: { source: { selector: { matchLabels: labels } }, volumeGroupSnapshotClassName: 'disk' },
    },
  });
  for (const name of names) {
    const claim = await client.resource(persistentVolumeClaims).get({ name, namespace: 'default' });
    const volume = await client.resource(persistentVolumes).get({ name: claim.spec?.volumeName ?? '' });
    const handle = volume.spec?.csi?.volumeHandle ?? '';
    const { snapshot } = memberNames(group.metadata?.uid ?? '', handle);
    await until(`${name} has a snapshot`, async () => {
      const { items } = await client.resource(volumeSnapshots).list();
      return items.some(({ metadata }) => metadata?.name === snapshot);
    });
    await whenReady(client, snapshot);
    write(await imageOf(t.context, name), 'robbed', 0);
    await createClaim(client, { name: `${name}-again`, size: '16Mi', from: fromSnapshot(snapshot) });
    const again = readFileSync(await imageOf(t.context, `${name}-again`));
    t.is(again.subarray(0, 16).toString().replaceAll('\0', ''), `balance of ${name}`.slice(0, 16));
  }
});
