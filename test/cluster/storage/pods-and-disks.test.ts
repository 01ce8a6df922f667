import anyTest from 'ava';
import type { TestFn } from 'ava';
import { shell, forever } from '../pods/pod-bench.ts';
import { storageBench } from './storage-bench.ts';
import type { StorageBench } from './storage-bench.ts';

/** What Pods may do with disks, on two worker nodes of one zone: each disk could be attached to either. */
const test = anyTest as TestFn;
let bench: StorageBench;

test.before(async () => {
  bench = await storageBench({ name: `gg-p${process.pid}`, nodes: 3 });
});
test.after.always(async (t) => bench?.end(t));

test('Pods of one node share a disk; on another node a Pod waits, and is told for whom', async (t) => {
  await bench.claim('shared');
  await bench.holder('first', { claim: 'shared', node: 'node-2', script: 'echo of the first > /data/note' });
  await bench.running(t, 'first');
  await bench.written('first', '/data/note');
  await bench.holder('second', { claim: 'shared', node: 'node-2', script: 'cat /data/note' });
  await bench.running(t, 'second');
  await bench.prints(t, 'second', 'of the first\n');
  const loop = await bench.loopOf('shared');
  // Staged once for the node, published once for each Pod.
  t.is(bench.mountsOf('node-2', loop).length, 3);

  await bench.holder('far', { claim: 'shared', node: 'node-3', script: 'cat /data/note' });
  const volume = await bench.volumeOf('shared');
  const { message } = await bench.told(t, 'far', 'FailedAttachVolume');
  t.is(
    message,
    `Multi-Attach error for volume "${volume.metadata?.name}" Volume is already used by pod(s) first, second on node node-2; it is detached when they have ended`,
  );
  await bench.removed('first');
  t.deepEqual(
    (await bench.attachmentsOf(volume)).map(({ spec }) => spec.nodeName),
    ['node-2'],
  );
  t.deepEqual(bench.mountsOf('node-3', loop), []);
  await bench.removed('second');
  await bench.running(t, 'far');
  await bench.prints(t, 'far', 'of the first\n');
  t.deepEqual(
    (await bench.attachmentsOf(volume)).map(({ spec }) => spec.nodeName),
    ['node-3'],
  );
  // The number of the device may be another disk's by now.
  const isPublished = ({ mountPoint }: { mountPoint: string }) =>
    mountPoint.includes(`/${volume.metadata?.name}/`);
  t.deepEqual(bench.mountsOf('node-2', loop).filter(isPublished), []);
  await bench.removed('far');
  await bench.disposed('shared');
});

test('a block device for all nodes: what one writes, the other reads', async (t) => {
  await bench.claim('raw-shared', { accessModes: ['ReadWriteMany'], volumeMode: 'Block' });
  const write = 'printf "from node-2" | dd of=/dev/disk bs=512 conv=sync,fsync 2>/dev/null';
  await bench.holder('writer', { claim: 'raw-shared', node: 'node-2', script: write, asDevice: true });
  await bench.running(t, 'writer');
  t.is(await bench.exec('writer', 'test -b /dev/disk && head -c 11 /dev/disk'), 'from node-2');
  const read = 'head -c 11 /dev/disk; echo';
  await bench.holder('reader', { claim: 'raw-shared', node: 'node-3', script: read, asDevice: true });
  await bench.running(t, 'reader');
  await bench.prints(t, 'reader', 'from node-2\n');
  const attachments = await bench.attachmentsOf(await bench.volumeOf('raw-shared'));
  const holders = attachments.map(({ spec }) => spec.nodeName);
  t.deepEqual(holders.toSorted(), ['node-2', 'node-3']);
  t.is((await bench.loopOf('raw-shared')).readOnly, false);
  await bench.removed('writer');
  t.is(
    await bench.exec('reader', 'printf B | dd of=/dev/disk conv=notrunc 2>/dev/null; head -c 2 /dev/disk'),
    'Br',
  );
  await bench.removed('reader');
  await bench.disposed('raw-shared');
});

test('a file system for all nodes is refused, in the words of the driver', async (t) => {
  await bench.claim('impossible', { accessModes: ['ReadWriteMany'] });
  await bench.holder('hopeful', { claim: 'impossible' });
  const { message } = await bench.told(t, 'impossible', 'ProvisioningFailed');
  t.is(
    message,
    'Volume provisioning failed with infeasible error. Retries will be delayed. rpc error: code = InvalidArgument desc = volume capability not supported: access mode MULTI_NODE_MULTI_WRITER is not possible for a file system on a disk; it is for volumeMode Block',
  );
  await bench.removed('hopeful');
  await bench.disposed('impossible');
});

test('a block device of one Pod keeps what was written for the next', async (t) => {
  await bench.claim('raw', { volumeMode: 'Block' });
  const write = 'printf kept | dd of=/dev/disk bs=512 seek=100 conv=sync,fsync 2>/dev/null';
  await bench.holder('scribe', { claim: 'raw', script: write, asDevice: true });
  await bench.running(t, 'scribe');
  t.is((await bench.exec('scribe', 'blockdev --getsize64 /dev/disk')).trim(), String(64 * 1024 * 1024));
  await bench.removed('scribe');
  const volume = await bench.volumeOf('raw');
  await bench.until(t, 'it is detached', async () => (await bench.attachmentsOf(volume)).length === 0);
  const script = 'dd if=/dev/disk bs=512 skip=100 count=1 2>/dev/null | head -c 4; echo';
  await bench.holder('later', { claim: 'raw', script, asDevice: true });
  await bench.running(t, 'later');
  await bench.prints(t, 'later', 'kept\n');
  await bench.removed('later');
  await bench.disposed('raw');
});

test('fsGroup: the files of the disk belong to the group, and a user of the group writes', async (t) => {
  await bench.claim('grouped');
  const before = 'umask 027; mkdir -m 755 /data/old; echo by root > /data/old/file';
  await bench.holder('root', { claim: 'grouped', script: before });
  await bench.running(t, 'root');
  await bench.written('root', '/data/old/file');
  await bench.removed('root');
  await bench.holder('member', {
    claim: 'grouped',
    script:
      'echo by the user > /data/new && stat -c "%u %g %A" /data /data/old /data/old/file /data/new; cat /data/old/file',
    spec: { securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 } },
  });
  await bench.running(t, 'member');
  await bench.prints(
    t,
    'member',
    '0 2000 drwxrwsr-x\n0 2000 drwxrwsr-x\n0 2000 -rw-rw----\n1000 2000 -rw-r--r--\nby root\n',
  );
  await bench.removed('member');
  await bench.disposed('grouped');
});

test('the class says which file system, and how it is mounted', async (t) => {
  await bench.storageClass('xfs', {
    parameters: { 'csi.storage.k8s.io/fstype': 'xfs' },
    mountOptions: ['noatime', 'nodev'],
  });
  await bench.claim('xfs', { storageClassName: 'xfs', size: '400Mi' });
  await bench.claim('ext4');
  const script = 'grep " /data " /proc/mounts';
  await bench.holder('on-xfs', { claim: 'xfs' });
  await bench.holder('on-ext4', { claim: 'ext4' });
  await bench.running(t, 'on-xfs');
  await bench.running(t, 'on-ext4');
  const mountIn = async (pod: string) => (await bench.exec(pod, script)).split(' ');
  const xfs = await mountIn('on-xfs');
  t.is(xfs[2], 'xfs');
  for (const option of ['rw', 'noatime', 'nodev']) t.true(xfs[3]?.split(',').includes(option), xfs[3]);
  const ext4 = await mountIn('on-ext4');
  t.is(ext4[2], 'ext4');
  t.false(ext4[3]?.split(',').includes('noatime'));
  await bench.removed('on-xfs', 'on-ext4');
  await bench.disposed('xfs', 'ext4');
});

test('a mount option that the kernel refuses is told, and the Pod goes without a trace', async (t) => {
  await bench.storageClass('odd', { mountOptions: ['nonsense=1'] });
  await bench.claim('odd', { storageClassName: 'odd' });
  await bench.holder('odd', { claim: 'odd' });
  await bench.told(
    t,
    'odd',
    'FailedMount',
    'MountVolume.MountDevice failed for volume "pvc-.*" : rpc error: code = Internal desc = .*nonsense=1',
  );
  const loop = await bench.loopOf('odd');
  t.deepEqual([...bench.mountsOf('node-2', loop), ...bench.mountsOf('node-3', loop)], []);
  await bench.removed('odd');
  await bench.disposed('odd');
});

test('a claim that a Pod takes read only: no container writes, whatever its mount says', async (t) => {
  await bench.claim('read');
  await bench.holder('filler', { claim: 'read', script: 'echo text > /data/file' });
  await bench.running(t, 'filler');
  await bench.written('filler', '/data/file');
  await bench.removed('filler');
  await bench.holder('onlooker', { claim: 'read', readOnly: true, script: 'cat /data/file' });
  await bench.running(t, 'onlooker');
  await bench.prints(t, 'onlooker', 'text\n');
  await t.throwsAsync(bench.exec('onlooker', 'echo more >> /data/file'), {
    message: /Read-only file system/,
  });
  await bench.removed('onlooker');
  await bench.disposed('read');
});

test('containers of a Pod see their own folder of one disk', async (t) => {
  await bench.claim('folders');
  const withFolder = (name: string, subPath: object, readOnly = false) =>
    shell(name, `echo ${name} > /mine/name; ${forever}`, {
      volumeMounts: [{ name: 'data', mountPath: '/mine', readOnly, ...subPath }],
      env: [{ name: 'WHO', value: name }],
    });
  await bench.holder('folders', {
    claim: 'folders',
    spec: {
      containers: [
        withFolder('one', { subPath: 'shelf/one' }),
        withFolder('two', { subPathExpr: 'shelf/$(WHO)' }),
        shell('all', forever, { volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }] }),
      ],
    },
  });
  await bench.running(t, 'folders');
  for (const folder of ['one', 'two']) {
    const seen = `until test -s /data/shelf/${folder}/name; do sleep 0.1; done`;
    await bench.kubectl('exec', 'folders', '-c', 'all', '--', 'sh', '-c', seen);
  }
  const all = ['exec', 'folders', '-c', 'all', '--', 'sh', '-c'];
  t.is(
    await bench.kubectl(...all, 'cd /data/shelf && head -n 9 */name'),
    '==> one/name <==\none\n\n==> two/name <==\ntwo\n',
  );
  await t.throwsAsync(bench.kubectl(...all, 'touch /data/x'), { message: /Read-only file system/ });
  await bench.removed('folders');
  await bench.disposed('folders');
});

test('a copy for many readers is mounted on all nodes at once, and nobody writes', async (t) => {
  await bench.claim('origin');
  await bench.holder('author', { claim: 'origin', script: 'echo published > /data/text; sync' });
  await bench.running(t, 'author');
  await bench.written('author', '/data/text');
  const dataSource = { kind: 'PersistentVolumeClaim', name: 'origin' };
  await bench.claim('edition', { accessModes: ['ReadOnlyMany'], dataSource });
  for (const node of ['node-2', 'node-3']) {
    await bench.holder(`reads-on-${node}`, { claim: 'edition', node, script: 'cat /data/text' });
    await bench.running(t, `reads-on-${node}`);
    await bench.prints(t, `reads-on-${node}`, 'published\n');
  }
  t.is((await bench.attachmentsOf(await bench.volumeOf('edition'))).length, 2);
  t.true((await bench.loopOf('edition')).readOnly);
  const write = bench.exec('reads-on-node-3', 'echo x > /data/x');
  await t.throwsAsync(write, { message: /Read-only file system/ });
  await bench.removed('author', 'reads-on-node-2', 'reads-on-node-3');
  await bench.disposed('origin', 'edition');
});
