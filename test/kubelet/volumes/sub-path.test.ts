import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import type { Pod, VolumeMount } from '../../../api/types.ts';
import type { ContainerMount } from '../../../kubelet/volumes/container-mounts.ts';
import { makeNode, makePod, mountsAt } from './node.ts';
import type { TestNode } from './node.ts';
import { patience, skipUnless, until } from '../../environment.ts';
import { mountDeadServer } from './dead-server.ts';

const environment = [{ name: 'POD_NAME', value: 'p0' }];

const podWith = (mount: Partial<VolumeMount>, more: Partial<VolumeMount>[] = []): Pod => {
  const mounts = [mount, ...more].map((one) => ({ name: 'data', mountPath: '/data', ...one }));
  return makePod([{ name: 'data', emptyDir: {} }], {}, { volumeMounts: mounts });
};

const mountsOf = (node: TestNode, pod: Pod): Promise<ContainerMount[]> => {
  const [container] = pod.spec?.containers ?? [];
  return node.volumes.mountsFor({ pod, container: container ?? { name: 'none' }, environment });
};

const start = async (t: Parameters<typeof makeNode>[0], pod: Pod) => {
  const node = makeNode(t);
  await node.volumes.waitForMount(pod);
  return { node, volume: node.pathOf(pod, 'empty-dir', 'data'), uid: pod.metadata?.uid ?? '' };
};

test('a missing sub path is made, with the volume’s permissions, and bound', async (t) => {
  const pod = podWith({ subPath: 'a/b' }, [{ subPathExpr: 'of-$(POD_NAME)', mountPath: '/other' }]);
  const { node, volume, uid } = await start(t, pod);
  const [first, second] = await mountsOf(node, pod);
  t.is(first?.hostPath, join(node.rootDir, 'pods', uid, 'volume-subpaths/data/main/0'));
  t.is(second?.hostPath, join(node.rootDir, 'pods', uid, 'volume-subpaths/data/main/1'));
  t.is(statSync(join(volume, 'a/b')).mode & 0o777, 0o777);
  writeFileSync(join(first?.hostPath ?? '', 'x'), '1');
  t.is(readFileSync(join(volume, 'a/b/x'), 'utf8'), '1');
  t.true(existsSync(join(volume, 'of-p0')));
  // The container is made again: the mount stays.
  await mountsOf(node, pod);
  t.is(mountsAt(first?.hostPath ?? '').length, 1);
  await node.volumes.unmountPod(uid);
  t.false(existsSync(join(node.rootDir, 'pods', uid, 'volume-subpaths')));
  await node.volumes.removePodDirectory(uid);
  t.false(existsSync(join(node.rootDir, 'pods', uid)));
});

test('a sub path that is made in a tmpfs of an fsGroup has its setgid and its sticky bit', async (t) => {
  const pod = makePod(
    [{ name: 'data', emptyDir: { medium: 'Memory' } }],
    { securityContext: { fsGroup: 123 } },
    {
      volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'a/b' }],
    },
  );
  const { node, volume } = await start(t, pod);
  await mountsOf(node, pod);
  const made = ['a', 'a/b'].map((path) => statSync(join(volume, path)));
  t.deepEqual(
    made.map(({ mode, gid }) => [mode & 0o7777, gid]),
    [
      [0o3777, 123],
      [0o3777, 123],
    ],
  );
});

test('a file of a configMap as a sub path stays as it was, until the container is made again', async (t) => {
  const node = makeNode(t);
  const put = (a: string) =>
    node.api.put('configmaps', { metadata: { name: 'c', namespace: 'default' }, data: { a } });
  put('1');
  const volumeMounts = [
    { name: 'config', mountPath: '/etc/a', subPath: 'a' },
    { name: 'config', mountPath: '/config' },
  ];
  const pod = makePod([{ name: 'config', configMap: { name: 'c' } }], {}, { volumeMounts });
  await node.volumes.waitForMount(pod);
  const [file, folder] = await mountsOf(node, pod);
  t.like(file, { readonly: true, containerPath: '/etc/a' });
  put('2');
  await until('a is 2', () => readFileSync(join(folder?.hostPath ?? '', 'a'), 'utf8') === '2');
  t.is(readFileSync(file?.hostPath ?? '', 'utf8'), '1');
  const [again] = await mountsOf(node, pod);
  t.is(again?.hostPath, file?.hostPath);
  t.is(readFileSync(again?.hostPath ?? '', 'utf8'), '2');
  t.is(mountsAt(again?.hostPath ?? '').length, 1);
});

const prepareError = 'failed to prepare subPath for volumeMount "data" of container "main"';
const createError = 'failed to create subPath directory for volumeMount "data" of container "main"';

const escapes: {
  title: string;
  subPath: string;
  plant?: (volume: string, outside: string) => void;
  message: string;
}[] = [
  { title: '..', subPath: '../x', message: "unable to provision SubPath `../x`: must not contain '..'" },
  {
    title: 'an absolute path',
    subPath: '/etc',
    message: 'error SubPath `/etc` must not be an absolute path',
  },
  {
    title: 'an absolute link',
    subPath: 'link',
    plant: (volume, outside) => symlinkSync(outside, join(volume, 'link')),
    message: prepareError,
  },
  {
    title: 'a link with ..',
    subPath: 'link/x',
    plant: (volume) => symlinkSync('../../../../..', join(volume, 'link')),
    message: prepareError,
  },
  {
    title: 'a link on the way to a folder that is to be made',
    subPath: 'link/new',
    plant: (volume, outside) => symlinkSync(outside, join(volume, 'link')),
    message: prepareError,
  },
  {
    title: 'a dangling link',
    subPath: 'link',
    plant: (volume) => symlinkSync('nowhere', join(volume, 'link')),
    message: createError,
  },
  {
    title: 'a file where a folder should be',
    subPath: 'file/new',
    plant: (volume) => writeFileSync(join(volume, 'file'), ''),
    message: prepareError,
  },
];

for (const { title, subPath, plant, message } of escapes) {
  test(`a sub path can't leave the volume by ${title}`, async (t) => {
    const outside = mkdtempSync(join(tmpdir(), 'vv-outside-'));
    t.teardown(() => rmSync(outside, { recursive: true }));
    const pod = podWith({ subPath });
    const { node, volume } = await start(t, pod);
    plant?.(volume, outside);
    await t.throwsAsync(mountsOf(node, pod), { message, name: 'ContainerConfigError' });
    t.deepEqual(readdirSync(outside), []);
    t.false(existsSync(join(node.rootDir, 'pods', pod.metadata?.uid ?? '', 'volume-subpaths')));
  });
}

test('a link inside the volume that stays inside is followed', async (t) => {
  const pod = podWith({ subPath: 'link/x' });
  const { node, volume } = await start(t, pod);
  mkdirSync(join(volume, 'real'));
  symlinkSync('real', join(volume, 'link'));
  const [mount] = await mountsOf(node, pod);
  writeFileSync(join(mount?.hostPath ?? '', 'f'), '');
  t.true(existsSync(join(volume, 'real/x/f')));
});

test('so is an absolute one that leads into the volume, to what is there and to what is to be made', async (t) => {
  const pod = podWith({ subPath: 'current/file' }, [{ subPath: 'current/new/folder', mountPath: '/new' }]);
  const { node, volume } = await start(t, pod);
  mkdirSync(join(volume, 'v1'));
  writeFileSync(join(volume, 'v1/file'), 'content');
  symlinkSync(join(volume, 'v1'), join(volume, 'current'));
  const [file, folder] = await mountsOf(node, pod);
  t.is(readFileSync(file?.hostPath ?? '', 'utf8'), 'content');
  writeFileSync(join(folder?.hostPath ?? '', 'f'), '');
  t.true(existsSync(join(volume, 'v1/new/folder/f')));
});

test('a link that leads to a server that is gone is not followed there', async (t) => {
  if (skipUnless(t, existsSync('/dev/fuse'), 'this kernel has no FUSE, which plays the dead server')) return;
  const server = mountDeadServer(t);
  const pod = podWith({ subPath: 'link/folder' });
  const { node, volume } = await start(t, pod);
  symlinkSync(server.path, join(volume, 'link'));
  // Were it looked at, this process would wait for ever.
  await t.throwsAsync(mountsOf(node, pod), { message: prepareError, name: 'ContainerConfigError' });
});

test('links that lead to each other are an error', async (t) => {
  const pod = podWith({ subPath: 'a' });
  const { node, volume } = await start(t, pod);
  symlinkSync(join(volume, 'b'), join(volume, 'a'));
  symlinkSync(join(volume, 'a'), join(volume, 'b'));
  await t.throwsAsync(mountsOf(node, pod), { message: prepareError, name: 'ContainerConfigError' });
});

const swapper = `
const { renameSync, symlinkSync, mkdirSync, rmSync } = require('node:fs');
const { workerData } = require('node:worker_threads');
const { volume, outside, stop } = workerData;
const flag = new Int32Array(stop);
while (Atomics.load(flag, 0) === 0) {
  try { renameSync(volume + '/dir', volume + '/moved'); symlinkSync(outside, volume + '/dir'); } catch {}
  try { rmSync(volume + '/dir'); renameSync(volume + '/moved', volume + '/dir'); } catch {}
}
`;

test('not even while a container swaps folders and links', async (t) => {
  const outside = mkdtempSync(join(tmpdir(), 'vv-outside-'));
  t.teardown(() => rmSync(outside, { recursive: true }));
  const pod = podWith({ subPath: 'dir/a/b' });
  const { node, volume, uid } = await start(t, pod);
  mkdirSync(join(volume, 'dir'));
  const stop = new SharedArrayBuffer(4);
  const worker = new Worker(swapper, { eval: true, workerData: { volume, outside, stop } });
  const target = join(node.rootDir, 'pods', uid, 'volume-subpaths/data/main/0');
  let bound = 0;
  const startedAtMs = Date.now();
  const enough = () => Date.now() > startedAtMs + (bound > 0 ? 1500 : 30_000 * patience);
  while (!enough()) {
    try {
      await mountsOf(node, pod);
      bound += 1;
      const { dev, ino } = statSync(target);
      t.not(`${dev}:${ino}`, `${statSync(outside).dev}:${statSync(outside).ino}`);
      const root = mountsAt(target)[0]?.root ?? '';
      t.false(root.startsWith(outside), root);
    } catch (error) {
      t.is((error as Error).name, 'ContainerConfigError');
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  Atomics.store(new Int32Array(stop), 0, 1);
  await new Promise((resolve) => worker.once('exit', resolve));
  t.log(`${bound} bound`);
  t.true(bound > 0);
  t.deepEqual(readdirSync(outside), []);
});

test('subPathExpr without a value', async (t) => {
  const pod = podWith({ subPathExpr: '$(NONE)/$(POD_NAME)/$(ALSO_NONE)' });
  const { node } = await start(t, pod);
  await t.throwsAsync(mountsOf(node, pod), { message: 'missing value for ALSO_NONE, NONE' });
});

test('propagation, read-only, recursive read-only', async (t) => {
  const pod = podWith({ mountPath: '/a' }, [
    { mountPath: '/b', mountPropagation: 'HostToContainer', readOnly: true },
    { mountPath: '/c', mountPropagation: 'Bidirectional' },
    { mountPath: '/d', readOnly: true, recursiveReadOnly: 'Enabled' },
    { mountPath: 'e', readOnly: true, recursiveReadOnly: 'IfPossible', mountPropagation: 'None' },
  ]);
  const { node, volume } = await start(t, pod);
  const hostPath = volume;
  const recursiveReadOnly = false;
  t.deepEqual(await mountsOf(node, pod), [
    { containerPath: '/a', hostPath, readonly: false, recursiveReadOnly, propagation: 'PROPAGATION_PRIVATE' },
    {
      containerPath: '/b',
      hostPath,
      readonly: true,
      recursiveReadOnly,
      propagation: 'PROPAGATION_HOST_TO_CONTAINER',
    },
    {
      containerPath: '/c',
      hostPath,
      readonly: false,
      recursiveReadOnly,
      propagation: 'PROPAGATION_BIDIRECTIONAL',
    },
    {
      containerPath: '/d',
      hostPath,
      readonly: true,
      recursiveReadOnly: true,
      propagation: 'PROPAGATION_PRIVATE',
    },
    {
      containerPath: '/e',
      hostPath,
      readonly: true,
      recursiveReadOnly: true,
      propagation: 'PROPAGATION_PRIVATE',
    },
  ]);
});

const rroErrors: [Partial<VolumeMount>, string][] = [
  [
    { recursiveReadOnly: 'Enabled' },
    'failed to resolve recursive read-only mode: volume "data" requested recursive read-only mode, but it is not read-only',
  ],
  [
    { recursiveReadOnly: 'Enabled', readOnly: true, mountPropagation: 'HostToContainer' },
    'failed to resolve recursive read-only mode: volume "data" requested recursive read-only mode, but it is not compatible with propagation "HostToContainer"',
  ],
  [
    { recursiveReadOnly: 'Sometimes', readOnly: true },
    'failed to resolve recursive read-only mode: unknown recursive read-only mode "Sometimes"',
  ],
  [{ mountPropagation: 'Sideways' }, 'invalid MountPropagation mode: "Sideways"'],
  [{ name: 'none' }, 'cannot find volume "none" to mount into container "main"'],
];

for (const [mount, message] of rroErrors) {
  test(`refuses ${JSON.stringify(mount)}`, async (t) => {
    const pod = podWith(mount);
    const { node } = await start(t, pod);
    await t.throwsAsync(mountsOf(node, pod), { message });
  });
}

test('a directory of a pod is not removed across a mount', async (t) => {
  const pod = podWith({ subPath: 'a' });
  const { node, volume, uid } = await start(t, pod);
  const [mount] = await mountsOf(node, pod);
  writeFileSync(join(volume, 'a/kept'), 'yes');
  await t.throwsAsync(node.volumes.removePodDirectory(uid), {
    message: `volumes of pod ${uid} are not unmounted yet`,
  });
  t.is(readFileSync(join(mount?.hostPath ?? '', 'kept'), 'utf8'), 'yes');
  renameSync(join(volume, 'a/kept'), join(volume, 'a/still'));
  unlinkSync(join(volume, 'a/still'));
});
