import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { makeNode, makePod } from './node.ts';

const scratch = (t: { teardown(f: () => void): void }): string => {
  const path = mkdtempSync(join(tmpdir(), 'vv-host-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
};

test('every type takes what it names, and "" takes anything', async (t) => {
  const host = scratch(t);
  writeFileSync(join(host, 'file'), '');
  const server = createServer().listen(join(host, 'socket'));
  t.teardown(() => server.close());
  const node = makeNode(t);
  const pod = makePod([
    { name: 'unset', hostPath: { path: join(host, 'nothing') } },
    { name: 'empty', hostPath: { path: join(host, 'nothing'), type: '' } },
    { name: 'directory', hostPath: { path: host, type: 'Directory' } },
    { name: 'file', hostPath: { path: join(host, 'file'), type: 'File' } },
    { name: 'socket', hostPath: { path: join(host, 'socket'), type: 'Socket' } },
    { name: 'char', hostPath: { path: '/dev/null', type: 'CharDevice' } },
  ]);
  const mounted = await node.volumes.waitForMount(pod);
  t.is(mounted.get('file')?.hostPath, join(host, 'file'));
  t.is(mounted.get('directory')?.readOnly, false);
  t.false(existsSync(join(host, 'nothing')));
});

test('OrCreate makes it with upstream’s permissions, and it outlives the Pod', async (t) => {
  const host = scratch(t);
  const node = makeNode(t);
  const pod = makePod([
    { name: 'directory', hostPath: { path: join(host, 'a/b'), type: 'DirectoryOrCreate' } },
    { name: 'file', hostPath: { path: join(host, 'f'), type: 'FileOrCreate' } },
  ]);
  await node.volumes.waitForMount(pod);
  t.is(statSync(join(host, 'a/b')).mode & 0o7777, 0o755);
  t.is(statSync(join(host, 'f')).mode & 0o7777, 0o644);
  writeFileSync(join(host, 'a/b/kept'), 'yes');
  await node.volumes.unmountPod(pod.metadata?.uid ?? '');
  await node.volumes.removePodDirectory(pod.metadata?.uid ?? '');
  t.is(readFileSync(join(host, 'a/b/kept'), 'utf8'), 'yes');
});

const wrong: { type: string; path: string; message: (path: string) => string }[] = [
  {
    type: 'Directory',
    path: 'file',
    message: (path) => `hostPath type check failed: ${path} is not a directory`,
  },
  {
    type: 'DirectoryOrCreate',
    path: 'file',
    message: (path) => `hostPath type check failed: ${path} is not a directory`,
  },
  {
    type: 'Directory',
    path: 'none',
    message: (path) => `hostPath type check failed: ${path} is not a directory`,
  },
  { type: 'File', path: 'folder', message: (path) => `hostPath type check failed: ${path} is not a file` },
  {
    type: 'FileOrCreate',
    path: 'folder',
    message: (path) => `hostPath type check failed: ${path} is not a file`,
  },
  { type: 'FileOrCreate', path: 'none/f', message: (path) => `open ${path}: no such file or directory` },
  { type: 'DirectoryOrCreate', path: 'file/d', message: (path) => `mkdir ${path}: not a directory` },
  {
    type: 'Socket',
    path: 'file',
    message: (path) => `hostPath type check failed: ${path} is not a socket file`,
  },
  {
    type: 'CharDevice',
    path: 'file',
    message: (path) => `hostPath type check failed: ${path} is not a character device`,
  },
  {
    type: 'BlockDevice',
    path: 'file',
    message: (path) => `hostPath type check failed: ${path} is not a block device`,
  },
  { type: 'Sock', path: 'file', message: () => 'Sock is an invalid volume type' },
];

for (const { type, path, message } of wrong) {
  test(`${type} refuses ${path}`, async (t) => {
    const host = scratch(t);
    writeFileSync(join(host, 'file'), '');
    mkdirSync(join(host, 'folder'));
    const node = makeNode(t);
    const pod = makePod([{ name: 'h', hostPath: { path: join(host, path), type } }]);
    await t.throwsAsync(node.volumes.waitForMount(pod, { timeoutMs: 50 }));
    t.is(node.events[0]?.message, `MountVolume.SetUp failed for volume "h" : ${message(join(host, path))}`);
  });
}

test('".." is refused', async (t) => {
  const node = makeNode(t);
  const pod = makePod([{ name: 'h', hostPath: { path: '/tmp/../etc', type: 'Directory' } }]);
  await t.throwsAsync(node.volumes.waitForMount(pod, { timeoutMs: 50 }));
  t.is(
    node.events[0]?.message,
    'MountVolume.SetUp failed for volume "h" : invalid HostPath `/tmp/../etc`: must not contain \'..\'',
  );
});
