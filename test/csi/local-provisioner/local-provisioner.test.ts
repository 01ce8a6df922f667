import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';
import type { PersistentVolume } from '../../../api/types.ts';
import {
  clusterRoleBindings,
  clusterRoles,
  nodes,
  persistentVolumes,
  storageClasses,
} from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import { persistentVolumeController } from '../../../controllers/persistent-volume/persistent-volume.ts';
import { volumeProtectionController } from '../../../controllers/pv-protection/pv-protection.ts';
import { claimProtectionController } from '../../../controllers/pvc-protection/pvc-protection.ts';
import {
  localProvisionerBindings,
  localProvisionerRole,
  localProvisionersGroup,
} from '../../../csi/local-provisioner/permissions.ts';
import { startLocalProvisioner } from '../../../csi/local-provisioner/start-local-provisioner.ts';
import type { LocalClassOptions } from '../../../csi/local-provisioner/start-local-provisioner.ts';
import { run } from '../../../linux/command.ts';
import { attachLoop, detachLoop } from '../../../linux/loop-device.ts';
import { mount, unmount } from '../../../linux/mount.ts';
import { unmountBelow } from '../../../linux/mount-info.ts';
import { createSparseFile } from '../../../linux/sparse-file.ts';
import { testLog } from '../../client/api-server.ts';
import { eventAbout, startControllerRig } from '../../controllers/controller-rig.ts';
import { storageClient } from '../../controllers/persistent-volume/fixtures.ts';
import { expectNothingLeft, isRoot, skipUnless, until } from '../../environment.ts';

type Rig = Awaited<ReturnType<typeof startControllerRig>>;
const test = anyTest as TestFn<Rig & { limited: Client }>;

const MiB = 2 ** 20;

test.before(async (t) => {
  const rig = await startControllerRig([
    persistentVolumeController(),
    claimProtectionController,
    volumeProtectionController,
  ]);
  t.context = { ...rig, limited: await provisionerClient(rig) };
});
/** As in a cluster: with no more rights than it needs. */
const provisionerClient = async ({ client, server }: Rig): Promise<Client> => {
  await client.resource(clusterRoles).create({ object: localProvisionerRole });
  for (const object of localProvisionerBindings)
    await client.resource(clusterRoleBindings).create({ object });
  return server.clientAs('local-volume-provisioner', [localProvisionersGroup]);
};
test.after.always((t) => t.context.stop());

/** A provisioner with a node and a discovery directory of its own; its mounts and loops go at the end, and nothing is left. */
const startProvisioner = async (
  t: ExecutionContext<Rig & { limited: Client }>,
  classes: Record<string, LocalClassOptions> = {},
) => {
  const scratch = mkdtempSync(join(tmpdir(), 'bb-local-'));
  const nodeName = basename(scratch).toLowerCase();
  await t.context.client.resource(nodes).create({
    object: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName } },
    },
  });
  const discoveryDir = join(scratch, 'disks');
  const loops: { path: string; backingFile: string }[] = [];
  const start = () =>
    startLocalProvisioner({
      client: t.context.limited,
      nodeName,
      discoveryDir,
      classes,
      log: testLog,
      scanMs: 3_600_000,
    });
  let provisioner = start();
  t.teardown(async () => {
    await provisioner.stop();
    unmountBelow(scratch);
    for (const loop of loops) await detachLoop(loop);
    rmSync(scratch, { recursive: true });
    await expectNothingLeft(scratch, ['mounts', 'loopDevices']);
  });
  return {
    nodeName,
    scratch,
    discoveryDir,
    addDirectory: (className: string, name: string): string => {
      const target = join(discoveryDir, className, name);
      mkdirSync(target, { recursive: true });
      mount({ source: 'bb-local', target, type: 'tmpfs', data: 'size=16m' });
      return target;
    },
    addBlockDevice: (className: string, name: string): { link: string; device: string } => {
      const file = join(scratch, `${className}-${name}.img`);
      createSparseFile(file, 12 * MiB);
      const device = attachLoop(file);
      loops.push({ path: device, backingFile: file });
      const link = join(discoveryDir, className, name);
      mkdirSync(join(discoveryDir, className), { recursive: true });
      symlinkSync(device, link);
      return { link, device };
    },
    restart: async () => {
      await provisioner.stop();
      provisioner = start();
    },
  };
};

const volumesOf = async (client: Client, className: string): Promise<PersistentVolume[]> => {
  const { items } = await client.resource(persistentVolumes).list();
  return items.filter(({ spec }) => spec?.storageClassName === className);
};
const theVolumeOf = (client: Client, className: string, formerUid?: string) =>
  until(`an available volume of class ${className}`, async () => {
    const [volume] = await volumesOf(client, className);
    const isNew = volume?.metadata?.uid !== formerUid;
    return volume?.status?.phase === 'Available' && isNew && volume;
  });

const claimAndRelease = async (client: Client, name: string, use: () => void, spec: object = {}) => {
  const storage = storageClient(client);
  await storage.createClaim(name, { storageClassName: name, size: '1Mi', ...spec });
  await storage.claimIn(name, 'Bound');
  use();
  await storage.deleteClaim(name);
};

test('a mounted directory becomes a volume, is emptied when it is released, and comes again', async (t) => {
  if (skipUnless(t, isRoot(), 'mounting needs root')) return;
  const { client } = t.context;
  const { addDirectory, nodeName } = await startProvisioner(t);
  const path = addDirectory('local-fs', 'disk-1');
  await storageClient(client).createClass('local-fs');
  const volume = await theVolumeOf(client, 'local-fs');
  t.like(volume.spec, {
    local: { path },
    capacity: { storage: '16Mi' },
    accessModes: ['ReadWriteOnce'],
    volumeMode: 'Filesystem',
    persistentVolumeReclaimPolicy: 'Delete',
  });
  t.deepEqual(volume.spec?.nodeAffinity?.required?.nodeSelectorTerms, [
    { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] },
  ]);
  await claimAndRelease(client, 'local-fs', () => {
    mkdirSync(join(path, 'deep/deeper'), { recursive: true });
    writeFileSync(join(path, 'deep/deeper/file'), 'secret');
    writeFileSync(join(path, '.hidden'), 'secret');
  });
  const again = await theVolumeOf(client, 'local-fs', volume.metadata?.uid);
  t.is(again.metadata?.name, volume.metadata?.name);
  t.false(existsSync(join(path, 'deep')));
  t.false(existsSync(join(path, '.hidden')));
});

test('disks that are mounted later are found; a directory without mount is none', async (t) => {
  if (skipUnless(t, isRoot(), 'mounting needs root')) return;
  const { client } = t.context;
  await storageClient(client).createClass('local-late');
  const { addDirectory, discoveryDir } = await startProvisioner(t);
  const bare = join(discoveryDir, 'local-late', 'bare');
  mkdirSync(bare, { recursive: true });
  writeFileSync(join(discoveryDir, 'local-late', 'file'), 'no disk');
  const mounted = addDirectory('local-late', 'mounted');
  const volume = await theVolumeOf(client, 'local-late');
  t.is(volume.spec?.local?.path, mounted);
  t.is((await volumesOf(client, 'local-late')).length, 1);
  mount({ source: 'bb-local', target: bare, type: 'tmpfs' });
  await until('the mount is noticed', async () => (await volumesOf(client, 'local-late')).length === 2);
});

test('a block device becomes a block volume, is zeroed when it is released, and comes again', async (t) => {
  if (skipUnless(t, isRoot(), 'loop devices need root')) return;
  const { client } = t.context;
  const { addBlockDevice } = await startProvisioner(t, { 'local-block': { volumeMode: 'Block' } });
  const { link, device } = addBlockDevice('local-block', 'disk-1');
  await storageClient(client).createClass('local-block');
  const volume = await theVolumeOf(client, 'local-block');
  t.like(volume.spec, { local: { path: link }, capacity: { storage: '12Mi' }, volumeMode: 'Block' });
  const data = Buffer.alloc(MiB, 'secret');
  const use = () => writeFileSync(device, data, { flag: 'r+' });
  await claimAndRelease(client, 'local-block', use, { volumeMode: 'Block' });
  const again = await theVolumeOf(client, 'local-block', volume.metadata?.uid);
  t.is(again.metadata?.name, volume.metadata?.name);
  t.true(readFileSync(device).equals(Buffer.alloc(12 * MiB)), 'all zeros');
  await eventAbout(client, volume, {
    reason: 'VolumeDelete',
    message: `Starting cleanup of Block PV "${volume.metadata?.name ?? ''}", this may take a while`,
  });
});

test('a disk that is still in use is not cleaned; it is when it is unmounted', async (t) => {
  if (skipUnless(t, isRoot(), 'loop devices need root')) return;
  const { client } = t.context;
  const { addBlockDevice, scratch } = await startProvisioner(t);
  const { device } = addBlockDevice('local-busy', 'disk-1');
  await storageClient(client).createClass('local-busy');
  const volume = await theVolumeOf(client, 'local-busy');
  const mountPoint = join(scratch, 'used');
  mkdirSync(mountPoint);
  await run('mkfs.ext4', ['-q', device]);
  await claimAndRelease(client, 'local-busy', () => {
    mount({ source: device, target: mountPoint, type: 'ext4' });
    writeFileSync(join(mountPoint, 'file'), 'in use');
  });
  await storageClient(client).volumeIn(volume.metadata?.name ?? '', 'Released');
  t.is(readFileSync(join(mountPoint, 'file'), 'utf8'), 'in use');
  unmount(mountPoint);
  await theVolumeOf(client, 'local-busy', volume.metadata?.uid);
  t.true(readFileSync(device).equals(Buffer.alloc(12 * MiB)), 'all zeros');
});

test('Retain leaves the data and the volume', async (t) => {
  if (skipUnless(t, isRoot(), 'mounting needs root')) return;
  const { client } = t.context;
  const { addDirectory } = await startProvisioner(t);
  const path = addDirectory('local-retain', 'disk-1');
  await storageClient(client).createClass('local-retain', { reclaimPolicy: 'Retain' });
  const volume = await theVolumeOf(client, 'local-retain');
  await claimAndRelease(client, 'local-retain', () => writeFileSync(join(path, 'file'), 'kept'));
  await storageClient(client).volumeIn(volume.metadata?.name ?? '', 'Released');
  t.is(readFileSync(join(path, 'file'), 'utf8'), 'kept');
});

test('nothing is deleted across a mount point, or when the disk is taken out: the volume says so', async (t) => {
  if (skipUnless(t, isRoot(), 'mounting needs root')) return;
  const { client } = t.context;
  const { addDirectory, restart } = await startProvisioner(t);
  const path = addDirectory('local-nested', 'disk-1');
  await storageClient(client).createClass('local-nested');
  const volume = await theVolumeOf(client, 'local-nested');
  const nested = join(path, 'nested');
  await claimAndRelease(client, 'local-nested', () => {
    mkdirSync(nested);
    mount({ source: 'bb-local', target: nested, type: 'tmpfs' });
    writeFileSync(join(nested, 'file'), 'of another disk');
  });
  const name = volume.metadata?.name ?? '';
  await eventAbout(client, volume, {
    reason: 'VolumeFailedDelete',
    message: `Error cleaning PV "${name}": ${nested} is mounted inside of ${path}; unmount it`,
  });
  t.is(readFileSync(join(nested, 'file'), 'utf8'), 'of another disk');
  unmount(nested);
  unmount(path);
  await restart();
  await eventAbout(client, volume, {
    reason: 'VolumeFailedDelete',
    message: `Error cleaning PV "${name}": nothing is mounted at ${path}; mount its disk again`,
  });
});

test('a volume whose path leads out of its folder is never cleaned', async (t) => {
  if (skipUnless(t, isRoot(), 'mounting needs root')) return;
  const { client } = t.context;
  const { addDirectory, discoveryDir, scratch } = await startProvisioner(t);
  const victim = join(scratch, 'victim');
  mkdirSync(victim);
  writeFileSync(join(victim, 'file'), 'not ours');
  addDirectory('local-forged', 'disk-1');
  await storageClient(client).createClass('local-forged');
  const ours = await theVolumeOf(client, 'local-forged');
  const forged = await client.resource(persistentVolumes).create({
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: {
        name: 'forged',
        annotations: { ...ours.metadata?.annotations },
      },
      spec: {
        ...ours.spec,
        local: { path: victim },
        claimRef: { name: 'gone', namespace: 'default', uid: 'gone' },
      },
    },
  });
  await eventAbout(client, forged, {
    reason: 'VolumeFailedDelete',
    message: `Error cleaning PV "forged": Unexpected error pv "forged" mountPath ${victim} but mount dir is ${join(discoveryDir, 'local-forged')}`,
  });
  t.is(readFileSync(join(victim, 'file'), 'utf8'), 'not ours');
});

test('name patterns, access modes and a command that cleans', async (t) => {
  if (skipUnless(t, isRoot(), 'loop devices need root')) return;
  const { client } = t.context;
  const blockCleanerCommand = [
    '/bin/sh',
    '-c',
    'printf cleaned | dd of="$LOCAL_PV_BLKDEVICE" conv=notrunc 2>/dev/null',
  ];
  const { addBlockDevice } = await startProvisioner(t, {
    'local-custom': {
      volumeMode: 'Block',
      accessMode: 'ReadWriteOncePod',
      namePattern: 'nvme*,ssd?',
      blockCleanerCommand,
    },
  });
  addBlockDevice('local-custom', 'hdd1');
  const { device, link } = addBlockDevice('local-custom', 'ssd1');
  await client.resource(storageClasses).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'local-custom' },
      provisioner: 'kubernetes.io/no-provisioner',
    },
  });
  const volume = await theVolumeOf(client, 'local-custom');
  t.like(volume.spec, { local: { path: link }, accessModes: ['ReadWriteOncePod'] });
  const spec = { volumeMode: 'Block', accessModes: ['ReadWriteOncePod'] };
  await claimAndRelease(client, 'local-custom', () => undefined, spec);
  await theVolumeOf(client, 'local-custom', volume.metadata?.uid);
  t.is(readFileSync(device).subarray(0, 7).toString(), 'cleaned');
  t.is((await volumesOf(client, 'local-custom')).length, 1);
});
