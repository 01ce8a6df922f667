import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { rmdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Volume } from '../../../api/types.ts';
import { bindMount, unmount } from '../../../linux/mount.ts';
import { makeNode, makePod, mountsAt } from './node.ts';
import { patience, until } from '../../environment.ts';

const configMap = (name: string, data: Record<string, string>, more = {}) => ({
  metadata: { name, namespace: 'default' },
  data,
  ...more,
});
const secret = (name: string, data: Record<string, string>) => ({
  metadata: { name, namespace: 'default' },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, btoa(value)])),
});
const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

test('emptyDir: open to all, survives a second setup, gone with the Pod', async (t) => {
  const node = makeNode(t);
  const pod = makePod([{ name: 'data', emptyDir: {} }]);
  const mounted = await node.volumes.waitForMount(pod);
  const path = mounted.get('data')?.hostPath ?? '';
  t.is(path, node.pathOf(pod, 'empty-dir', 'data'));
  t.is(modeOf(path), '777');
  writeFileSync(join(path, 'kept'), 'yes');
  await node.restart();
  await node.volumes.waitForMount(pod);
  t.is(readFileSync(join(path, 'kept'), 'utf8'), 'yes');
  await node.volumes.unmountPod(pod.metadata?.uid ?? '');
  t.false(existsSync(path));
});

test('emptyDir in memory: a tmpfs of the smallest limit, mounted once', async (t) => {
  const node = makeNode(t);
  const pod = makePod([
    { name: 'limited', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { name: 'unlimited', emptyDir: { medium: 'Memory' } },
  ]);
  await node.volumes.waitForMount(pod);
  const path = node.pathOf(pod, 'empty-dir', 'limited');
  const [mount] = mountsAt(path);
  t.is(mount?.type, 'tmpfs');
  t.true(mount?.superOptions.includes('size=1024k'), mount?.superOptions.join());
  t.throws(() => writeFileSync(join(path, 'big'), Buffer.alloc(2 << 20)), { code: 'ENOSPC' });
  const [unlimited] = mountsAt(node.pathOf(pod, 'empty-dir', 'unlimited'));
  t.true(unlimited?.superOptions.includes('size=4194304k'), unlimited?.superOptions.join());
  await node.restart();
  await node.volumes.waitForMount(pod);
  t.is(mountsAt(path).length, 1);
});

test('emptyDir of another medium is refused', async (t) => {
  const node = makeNode(t);
  const pod = makePod([{ name: 'huge', emptyDir: { medium: 'HugePages' } }]);
  await t.throwsAsync(node.volumes.waitForMount(pod, { timeoutMs: 50 }), {
    message:
      'unmounted volumes=[huge], unattached volumes=[], failed to process volumes=[]: context deadline exceeded',
  });
  t.is(node.events[0]?.reason, 'FailedMount');
  t.is(
    node.events[0]?.message,
    'MountVolume.SetUp failed for volume "huge" : medium HugePages: hugePages storage requested, but there is no resource request for huge pages',
  );
});

test('configMap: keys, items, modes, binary data', async (t) => {
  const node = makeNode(t);
  const binary = Buffer.from([0, 255, 10]);
  node.api.put(
    'configmaps',
    configMap('c', { a: '1', b: '2' }, { binaryData: { z: binary.toString('base64') } }),
  );
  const pod = makePod([
    { name: 'all', configMap: { name: 'c', defaultMode: 0o640 } },
    { name: 'some', configMap: { name: 'c', items: [{ key: 'b', path: 'x/y', mode: 0o400 }] } },
  ]);
  const mounted = await node.volumes.waitForMount(pod);
  t.true(mounted.get('all')?.readOnly);
  const all = node.pathOf(pod, 'configmap', 'all');
  t.is(readFileSync(join(all, 'a'), 'utf8'), '1');
  t.deepEqual(readFileSync(join(all, 'z')), binary);
  t.is(modeOf(join(all, 'a')), '640');
  const some = node.pathOf(pod, 'configmap', 'some');
  t.deepEqual(
    readdirSync(some).filter((name) => !name.startsWith('..')),
    ['x'],
  );
  t.is(modeOf(join(some, 'x/y')), '400');
  t.is(mountsAt(all)[0]?.type, 'tmpfs');
});

test('a missing configMap is a FailedMount, and the volume is there as soon as it comes', async (t) => {
  const node = makeNode(t);
  const pod = makePod([{ name: 'config', configMap: { name: 'late' } }]);
  const mounted = node.volumes.waitForMount(pod);
  await until('an event', () => node.events.length > 0);
  t.is(node.events[0]?.message, 'MountVolume.SetUp failed for volume "config" : configmap "late" not found');
  t.is(node.events[0]?.type, 'Warning');
  node.api.put('configmaps', configMap('late', { a: '1' }));
  await mounted;
  t.is(readFileSync(join(node.pathOf(pod, 'configmap', 'config'), 'a'), 'utf8'), '1');
});

test('a missing key, and what is optional', async (t) => {
  const node = makeNode(t);
  node.api.put('configmaps', configMap('c', { a: '1' }));
  node.api.put('secrets', secret('s', { a: '1' }));
  const volumes: Volume[] = [
    { name: 'key', configMap: { name: 'c', items: [{ key: 'b', path: 'b' }] } },
    { name: 'secretkey', secret: { secretName: 's', items: [{ key: 'b', path: 'b' }] } },
    { name: 'optional-key', configMap: { name: 'c', optional: true, items: [{ key: 'b', path: 'b' }] } },
    { name: 'optional', configMap: { name: 'none', optional: true } },
    { name: 'optional-secret', secret: { secretName: 'none', optional: true } },
  ];
  const pod = makePod(volumes);
  const error = await t.throwsAsync(node.volumes.waitForMount(pod, { timeoutMs: 1000 * patience }));
  t.is(
    error?.message,
    'unmounted volumes=[key secretkey], unattached volumes=[], failed to process volumes=[]: context deadline exceeded',
  );
  const messages = node.events.map(({ message }) => message);
  t.true(
    messages.includes(
      'MountVolume.SetUp failed for volume "key" : configmap references non-existent config key: b',
    ),
  );
  t.true(
    messages.includes(
      'MountVolume.SetUp failed for volume "secretkey" : references non-existent secret key: b',
    ),
  );
  t.deepEqual(readdirSync(join(node.pathOf(pod, 'configmap', 'optional'), '..data')), []);
});

test('an optional configMap appears when it comes', async (t) => {
  const node = makeNode(t);
  const pod = makePod([{ name: 'config', configMap: { name: 'later', optional: true } }]);
  await node.volumes.waitForMount(pod);
  node.api.put('configmaps', configMap('later', { a: '1' }));
  const file = join(node.pathOf(pod, 'configmap', 'config'), 'a');
  await until('the file is there', () => existsSync(file));
  t.is(readFileSync(file, 'utf8'), '1');
});

test('secret: no byte of it is on the disk, neither in its volume nor below', async (t) => {
  const node = makeNode(t);
  node.api.put('secrets', secret('s', { password: 'hunter2-in-memory-only' }));
  const volumeMounts = [
    { name: 'credentials', mountPath: '/all' },
    { name: 'credentials', mountPath: '/one', subPath: 'password' },
  ];
  const pod = makePod([{ name: 'credentials', secret: { secretName: 's' } }], {}, { volumeMounts });
  await node.volumes.waitForMount(pod);
  const [container] = pod.spec?.containers ?? [];
  await node.volumes.mountsFor({ pod, container: container ?? { name: 'none' }, environment: [] });
  // Without its submounts, the node's directory shows what the disk holds under the tmpfs.
  const below = mkdtempSync(join(tmpdir(), 'vv-below-'));
  bindMount({ source: node.rootDir, target: below });
  t.teardown(() => {
    unmount(below);
    rmdirSync(below);
  });
  const files = readdirSync(below, { recursive: true, withFileTypes: true });
  t.true(files.length > 0);
  for (const file of files.filter((entry) => entry.isFile())) {
    t.is(readFileSync(join(file.parentPath, file.name), 'utf8'), '', file.name);
  }
  t.deepEqual(readdirSync(node.pathOf(pod, 'secret', 'credentials').replace(node.rootDir, below)), []);
});

test('secret: on a tmpfs, once, following its changes', async (t) => {
  const node = makeNode(t);
  node.api.put('secrets', secret('s', { password: 'hunter2-in-memory-only' }));
  const pod = makePod([{ name: 'credentials', secret: { secretName: 's', defaultMode: 0o400 } }]);
  await node.volumes.waitForMount(pod);
  const path = node.pathOf(pod, 'secret', 'credentials');
  t.is(readFileSync(join(path, 'password'), 'utf8'), 'hunter2-in-memory-only');
  t.is(modeOf(join(path, 'password')), '400');
  t.is(mountsAt(path)[0]?.type, 'tmpfs');
  node.api.put('secrets', secret('s', { password: 'hunter3-in-memory-only' }));
  await until(
    'the new password',
    () => readFileSync(join(path, 'password'), 'utf8') === 'hunter3-in-memory-only',
  );
  await node.restart();
  await node.volumes.waitForMount(pod);
  t.is(mountsAt(path).length, 1);
  await node.volumes.unmountPod(pod.metadata?.uid ?? '');
  t.false(existsSync(path));
});

test('downwardAPI: metadata, maps, resources with divisor', async (t) => {
  const node = makeNode(t);
  const resources = { limits: { cpu: '1500m', memory: '64Mi' }, requests: { cpu: '250m' } };
  const field = (path: string, fieldPath: string) => ({ path, fieldRef: { fieldPath } });
  const resource = (path: string, name: string, divisor = '0') => ({
    path,
    resourceFieldRef: { containerName: 'main', resource: name, divisor },
  });
  const items = [
    field('labels', 'metadata.labels'),
    field('one', "metadata.labels['app']"),
    field('dir/name', 'metadata.name'),
    resource('cpu', 'limits.cpu'),
    resource('cpu-milli', 'limits.cpu', '1m'),
    resource('memory', 'limits.memory', '1Mi'),
    resource('requested', 'requests.cpu', '1m'),
    resource('storage', 'limits.ephemeral-storage', '1Gi'),
  ];
  const pod = makePod([{ name: 'info', downwardAPI: { items } }], {}, { resources });
  await node.volumes.waitForMount(pod);
  const path = node.pathOf(pod, 'downward-api', 'info');
  const read = (name: string) => readFileSync(join(path, name), 'utf8');
  t.is(read('labels'), 'app="a"');
  t.is(read('one'), 'a');
  t.is(read('dir/name'), pod.metadata?.name ?? '');
  const numbers = ['cpu', 'cpu-milli', 'memory', 'requested', 'storage'].map(read);
  t.deepEqual(numbers, ['2', '1500', '64', '250', '10']);
  const before = readlinkSync(join(path, '..data'));
  node.volumes.syncPod({ ...pod, status: { phase: 'Running' } });
  node.volumes.syncPod({ ...pod, metadata: { ...pod.metadata, labels: { app: 'b', two: 'x "y"' } } });
  await until('the new labels', () => read('labels') === 'app="b"\ntwo="x \\"y\\""');
  t.not(readlinkSync(join(path, '..data')), before);
});

test('projected: all sources in one folder, and the token is its user’s alone', async (t) => {
  const node = makeNode(t);
  node.api.put('configmaps', configMap('c', { a: '1' }));
  node.api.put('secrets', secret('s', { b: '2' }));
  const sources = [
    { configMap: { name: 'c' } },
    { secret: { name: 's', items: [{ key: 'b', path: 'deep/b', mode: 0o600 }] } },
    { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
    { serviceAccountToken: { path: 'token', expirationSeconds: 600, audience: 'vault' } },
  ];
  const pod = makePod(
    [{ name: 'all', projected: { sources, defaultMode: 0o644 } }],
    { serviceAccountName: 'robot' },
    { securityContext: { runAsUser: 1234 } },
  );
  await node.volumes.waitForMount(pod);
  const path = node.pathOf(pod, 'projected', 'all');
  t.deepEqual(
    ['a', 'deep/b', 'name'].map((name) => readFileSync(join(path, name), 'utf8')),
    ['1', '2', pod.metadata?.name ?? ''],
  );
  // Its link is its user's too: with fs.protected_symlinks not even root may follow it, the folder being sticky.
  t.is(readFileSync(join(path, '..data/token'), 'utf8'), 'token-1');
  t.is(mountsAt(path)[0]?.type, 'tmpfs');
  const token = statSync(join(path, '..data/token'));
  t.deepEqual([token.uid, token.mode & 0o777], [1234, 0o600]);
  t.is(modeOf(join(path, 'a')), '644');
  t.deepEqual(node.api.tokenRequests[0]?.spec, {
    audiences: ['vault'],
    expirationSeconds: 600,
    boundObjectRef: {
      apiVersion: 'v1',
      kind: 'Pod',
      name: pod.metadata?.name ?? '',
      uid: pod.metadata?.uid ?? '',
    },
  });
});

test('projected: a token is written anew before it ends', async (t) => {
  const node = makeNode(t);
  let issued = 0;
  node.api.issueToken = () => ({
    spec: { audiences: [], expirationSeconds: 2 },
    status: { token: `t${++issued}`, expirationTimestamp: new Date(Date.now() + 2000).toISOString() },
  });
  const sources = [{ serviceAccountToken: { path: 'token', expirationSeconds: 600 } }];
  const pod = makePod([{ name: 'token', projected: { sources } }], { securityContext: { fsGroup: 2000 } });
  await node.volumes.waitForMount(pod);
  const file = join(node.pathOf(pod, 'projected', 'token'), 'token');
  t.is(readFileSync(file, 'utf8'), 't1');
  t.deepEqual([statSync(file).gid, modeOf(file)], [2000, '640']);
  await until('the token t2', () => readFileSync(file, 'utf8') === 't2');
});

test('projected: what is not supported is refused, and all errors are told', async (t) => {
  const node = makeNode(t);
  const sources = [
    { clusterTrustBundle: { path: 'x', name: 'b' } },
    { configMap: { name: 'none' } },
    { podCertificate: { keyType: 'ED25519', signerName: 'x/y' } },
  ];
  const pod = makePod([{ name: 'all', projected: { sources } }]);
  await t.throwsAsync(node.volumes.waitForMount(pod, { timeoutMs: 100 }));
  t.is(
    node.events[0]?.message,
    'MountVolume.SetUp failed for volume "all" : [ClusterTrustBundle projection is not supported, configmap "none" not found, PodCertificate projection is not supported]',
  );
});

test('image: left to the runtime', async (t) => {
  const node = makeNode(t);
  const pod = makePod(
    [{ name: 'files', image: { reference: 'example.org/files:1' } }],
    {},
    { volumeMounts: [{ name: 'files', mountPath: '/files', subPath: 'etc' }] },
  );
  await node.volumes.waitForMount(pod);
  const [container] = pod.spec?.containers ?? [];
  const mounts = await node.volumes.mountsFor({
    pod,
    container: container ?? { name: 'none' },
    environment: [],
  });
  t.like(mounts[0], {
    hostPath: '',
    readonly: true,
    imageSubPath: 'etc',
    image: { image: 'example.org/files:1' },
  });
});

const unsupported = (type: string, remedy: string) =>
  `: volumes of type ${type} are not supported; use ${remedy}`;

const refused: [volume: Volume, why: string][] = [
  [
    { name: 'v', iscsi: { targetPortal: 'x', iqn: 'y', lun: 0 } },
    unsupported('iscsi', 'a local PersistentVolume of the block device, or a CSI driver for iSCSI'),
  ],
  [{ name: 'v', rbd: { image: 'x', monitors: [] } }, unsupported('rbd', 'a CSI driver for Ceph RBD')],
  [{ name: 'v', cephfs: { monitors: [] } }, unsupported('cephfs', 'a CSI driver for CephFS')],
  // This volume manager was made without persistent volumes.
  [{ name: 'v', persistentVolumeClaim: { claimName: 'x' } }, ''],
];

for (const [volume, why] of refused) {
  test(`${Object.keys(volume)[1]}: refused at once`, async (t) => {
    const node = makeNode(t);
    const error = await t.throwsAsync(node.volumes.waitForMount(makePod([volume])));
    t.is(
      error?.message,
      `unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: failed to get Plugin from volumeSpec for volume "v" err=no volume plugin matched${why}`,
    );
    t.like(error, { interrupted: false, reason: 'FailedMount' });
  });
}

test('a volume that nobody mounts is not set up', async (t) => {
  const node = makeNode(t);
  const pod = makePod([{ name: 'unused', configMap: { name: 'none' } }], {}, { volumeMounts: [] });
  t.deepEqual([...(await node.volumes.waitForMount(pod)).keys()], []);
  t.deepEqual(node.events, []);
});

test('a mount point of another volume is made in a read-only volume', async (t) => {
  const node = makeNode(t);
  node.api.put('configmaps', configMap('c', { a: '1' }));
  const volumeMounts = [
    { name: 'config', mountPath: '/etc/app' },
    { name: 'extra', mountPath: '/etc/app/extra/deep' },
    { name: 'other', mountPath: '/etc/application' },
  ];
  const pod = makePod(
    [
      { name: 'config', configMap: { name: 'c' } },
      { name: 'extra', emptyDir: {} },
      { name: 'other', emptyDir: {} },
    ],
    {},
    { volumeMounts },
  );
  await node.volumes.waitForMount(pod);
  const path = node.pathOf(pod, 'configmap', 'config');
  t.deepEqual(
    readdirSync(path)
      .filter((name) => !name.startsWith('..'))
      .sort(),
    ['a', 'extra'],
  );
  t.is(modeOf(join(path, 'extra/deep')), '755');
});

test('how full an emptyDir is', async (t) => {
  const node = makeNode(t);
  const pod = makePod([{ name: 'data', emptyDir: {} }]);
  await node.volumes.waitForMount(pod);
  const path = node.pathOf(pod, 'empty-dir', 'data');
  mkdirSync(join(path, 'deep'));
  writeFileSync(join(path, 'deep/big'), Buffer.alloc(3 << 20));
  const [stats] = await node.volumes.statsFor(pod.metadata?.uid ?? '');
  t.is(stats?.name, 'data');
  t.is(stats?.inodesUsed, 3);
  t.true((stats?.usedBytes ?? 0) >= 3 << 20);
  t.true((stats?.capacityBytes ?? 0) > (stats?.availableBytes ?? 0));
});
