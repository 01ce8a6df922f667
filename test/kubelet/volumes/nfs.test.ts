import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { nfsPlugin } from '../../../kubelet/volumes/nfs.ts';
import { volumePlugins } from '../../../kubelet/volumes/plugins.ts';
import { run } from '../../../linux/command.ts';
import { mountsBelow, readMountInfo } from '../../../linux/mount-info.ts';
import { skipUnless, until } from '../../environment.ts';
import { makeNode, makePod } from './node.ts';

const plugins = [...volumePlugins, nfsPlugin];
// A Pod's volume would load the module, too.
spawnSync('modprobe', ['nfs']);
const kernelHasNfs = /\bnfs4?$/m.test(readFileSync('/proc/filesystems', 'utf8'));
const serverIsUp = existsSync('/proc/fs/nfsd/versions');

test('a kernel without an NFS client says so, and what to do', async (t) => {
  if (skipUnless(t, !kernelHasNfs, 'this kernel has an NFS client')) return;
  const node = makeNode(t, { plugins });
  const pod = makePod([{ name: 'share', nfs: { server: '192.0.2.1', path: '/x' } }]);
  node.volumes.syncPod(pod);
  await until('an event', () => node.events.length > 0);
  t.like(node.events[0], {
    reason: 'FailedMount',
    message:
      'MountVolume.SetUp failed for volume "share" : this node has no NFS client: its kernel knows no file system nfs (/proc/filesystems) and has no module for it; run the Pod on a node whose kernel has CONFIG_NFS_FS, or use a CSI driver',
  });
});

test('a directory of a server: mounted, kept over a restart, read-only when asked, refused in upstream’s words', async (t) => {
  if (skipUnless(t, kernelHasNfs, 'this kernel has no NFS client')) return;
  if (skipUnless(t, serverIsUp, 'no NFS server runs on this machine')) return;
  const shared = mkdtempSync(join(tmpdir(), 'ee-nfs-'));
  const exported = `127.0.0.1:${shared}`;
  await run('exportfs', ['-o', 'rw,no_root_squash,insecure,fsid=4711,no_subtree_check', exported]);
  t.teardown(async () => {
    await run('exportfs', ['-u', exported]);
    rmSync(shared, { recursive: true });
  });
  mkdirSync(join(shared, 'data'));
  const node = makeNode(t, { plugins });
  const nfs = { server: '127.0.0.1', path: `${shared}/data` };
  const pod = makePod([
    { name: 'share', nfs },
    { name: 'reads', nfs: { ...nfs, readOnly: true } },
  ]);
  await node.volumes.waitForMount(pod);
  const path = node.pathOf(pod, 'nfs', 'share');
  writeFileSync(join(path, 'file'), 'x');
  t.is(readFileSync(join(shared, 'data/file'), 'utf8'), 'x');
  t.regex(readMountInfo().find(({ mountPoint }) => mountPoint === path)?.type ?? '', /^nfs/);
  const readOnly = node.pathOf(pod, 'nfs', 'reads');
  t.throws(() => writeFileSync(join(readOnly, 'file'), 'y'), { code: 'EROFS' });
  await node.restart();
  await node.volumes.waitForMount(pod);
  t.is(readMountInfo().filter(({ mountPoint }) => mountPoint === path).length, 1);
  await node.volumes.unmountPod(pod.metadata?.uid ?? '');
  t.deepEqual(mountsBelow(node.rootDir), []);

  const wrong = makePod([{ name: 'share', nfs: { server: '127.0.0.1', path: '/ee/not/there' } }]);
  node.volumes.syncPod(wrong);
  await until('an event', () => node.events.length > 0, 120_000);
  const { reason, message = '' } = node.events[0] ?? {};
  t.is(reason, 'FailedMount');
  t.true(
    message.startsWith('MountVolume.SetUp failed for volume "share" : mount failed: exit status 32\n'),
    message,
  );
  t.true(
    message.includes('Mounting command: mount\nMounting arguments: -t nfs 127.0.0.1:/ee/not/there '),
    message,
  );
  t.true(message.includes('\nOutput: mount.nfs: '), message);
});
