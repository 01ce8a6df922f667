import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { run } from '../../linux/command.ts';
import { isHeld } from '../../linux/block-device.ts';
import { formattingMark, probeDisk } from '../../linux/disk-content.ts';
import { usageOf } from '../../linux/filesystem.ts';
import { setFailpoint } from '../../linux/failpoint.ts';
import { freezeFileSystem, mountPointOf, thawDevice } from '../../linux/freeze.ts';
import { checkExt, growFileSystem, growUnmounted } from '../../linux/grow-filesystem.ts';
import {
  attachLoop,
  cutOffLoop,
  detachLoop,
  loopAt,
  loopsBelow,
  updateLoopCapacity,
} from '../../linux/loop-device.ts';
import { makeFileSystem } from '../../linux/make-filesystem.ts';
import { mountWaiting, parseMountOptions, unmountWaiting } from '../../linux/mount.ts';
import { canClone, cloneFile, copySparse, createSparseFile } from '../../linux/sparse-file.ts';
import { until } from '../environment.ts';
import { scratch } from './scratch.ts';

const MiB = 1024 * 1024;

interface Disk {
  directory: string;
  file: string;
  device: string;
  mountPoint: string;
}

/** An empty disk of a loop device, and a directory to mount it on. */
function emptyDisk(t: ExecutionContext, { size = 64 * MiB } = {}): Disk {
  const directory = scratch(t);
  t.teardown(async () => {
    for (const loop of loopsBelow(directory)) await detachLoop(loop);
  });
  const file = join(directory, 'disk.img');
  createSparseFile(file, size);
  const mountPoint = join(directory, 'mounted');
  mkdirSync(mountPoint);
  t.teardown(() => unmountWaiting(mountPoint, { ifMounted: true }));
  return { directory, file, device: attachLoop(file), mountPoint };
}

for (const type of ['ext2', 'ext3', 'ext4', 'xfs'] as const)
  test(`makes ${type}, and knows it again`, async (t) => {
    const size = type === 'xfs' ? 300 * MiB : 64 * MiB;
    const { device, mountPoint, file } = emptyDisk(t, { size });
    t.deepEqual(await probeDisk(device), { kind: 'empty' });
    await makeFileSystem(device, type);
    t.deepEqual(await probeDisk(device), { kind: 'file system', type, sizeBytes: size, unclean: false });
    await mountWaiting({ source: device, target: mountPoint, type });
    t.is(mountPointOf(device), mountPoint);
    await unmountWaiting(mountPoint);
    t.is(mountPointOf(device), undefined);
    const check = type === 'xfs' ? run('xfs_repair', ['-n', device]) : run('e2fsck', ['-f', '-n', device]);
    await t.notThrowsAsync(check);
    t.true(statSync(file).blocks * 512 < size, 'it takes less than all of its disk');
  });

test.serial(
  'until a file system is complete its disk shows as unfinished, never as something to mount',
  async (t) => {
    const { device } = emptyDisk(t);
    for (const step of ['linux.mkfs.after-mark', 'linux.mkfs.before-superblock']) {
      using _point = setFailpoint(step, 'error');
      await t.throwsAsync(makeFileSystem(device, 'ext4'));
      t.deepEqual(await probeDisk(device), { kind: 'unfinished' }, step);
    }
    await makeFileSystem(device, 'ext4');
    t.like(await probeDisk(device), { kind: 'file system', type: 'ext4' });
  },
);

test('what was on the disk before cannot show through a new file system', async (t) => {
  const { device, file } = emptyDisk(t);
  writeFileSync(device, Buffer.alloc(64 * MiB, 'old data '), { flag: 'r+', flush: true });
  t.deepEqual(await probeDisk(device), { kind: 'other', words: 'unknown data' });
  await makeFileSystem(device, 'ext4');
  await t.notThrowsAsync(run('e2fsck', ['-f', '-n', device]));
  await detachLoop({ path: device, backingFile: file });
  t.false(readFileSync(file).subarray(4096).includes('old data '));
});

test('knows what is no file system to mount', async (t) => {
  const directory = scratch(t);
  const file = (name: string, fill: (path: string) => unknown = () => undefined) => {
    const path = join(directory, name);
    createSparseFile(path, 8 * MiB);
    fill(path);
    return path;
  };
  const write = (at: number, text: string | Buffer) => (path: string) => {
    const bytes = readFileSync(path);
    bytes.set(Buffer.from(text), at);
    writeFileSync(path, bytes);
  };
  const swap = file('swap');
  await run('mkswap', [swap]);
  const cases: [string, object][] = [
    [file('empty'), { kind: 'empty' }],
    [swap, { kind: 'other', words: 'swap' }],
    [file('text', write(0, 'hello')), { kind: 'other', words: 'unknown data' }],
    [file('end', write(8 * MiB - 10, 'the end')), { kind: 'other', words: 'unknown data' }],
    [file('mark', write(0, formattingMark)), { kind: 'unfinished' }],
    [file('half xfs', write(512, 'XAGF')), { kind: 'unfinished' }],
  ];
  for (const [path, content] of cases) t.deepEqual(await probeDisk(path), content, path);
});

test('an ext file system says when it has to be checked, and is mended', async (t) => {
  const { device } = emptyDisk(t);
  await makeFileSystem(device, 'ext4');
  await run('tune2fs', ['-E', 'force_fsck', device]);
  t.like(await probeDisk(device), { kind: 'file system', unclean: true });
  await checkExt(device);
  t.like(await probeDisk(device), { kind: 'file system', unclean: false });
});

test('a disk that is pulled out gives errors, and what was synced can be mounted again', async (t) => {
  const { device, mountPoint, file } = emptyDisk(t);
  await makeFileSystem(device, 'ext4');
  await mountWaiting({ source: device, target: mountPoint, type: 'ext4' });
  writeFileSync(join(mountPoint, 'synced'), 'y', { flush: true });
  cutOffLoop({ path: device, backingFile: file });
  t.true(loopAt(device)?.cutOff);
  t.throws(() => writeFileSync(join(mountPoint, 'late'), Buffer.alloc(MiB), { flush: true }));
  await unmountWaiting(mountPoint);
  await until('it ends at its last close', () => loopAt(device) === undefined);
  const again = attachLoop(file);
  await mountWaiting({ source: again, target: mountPoint, type: 'ext4' });
  t.is(readFileSync(join(mountPoint, 'synced'), 'utf8'), 'y');
});

test('xfs grows while it is mounted, ext4 also when it is not', async (t) => {
  const big = emptyDisk(t, { size: 300 * MiB });
  await makeFileSystem(big.device, 'xfs');
  await mountWaiting({ source: big.device, target: big.mountPoint, type: 'xfs' });
  truncateSync(big.file, 600 * MiB);
  updateLoopCapacity(big.device);
  await growFileSystem(big.mountPoint, big.device);
  t.true((await usageOf(big.mountPoint)).capacityBytes > 500 * MiB);
  await t.notThrowsAsync(growFileSystem(big.mountPoint, big.device));
  const small = emptyDisk(t);
  await makeFileSystem(small.device, 'ext4');
  t.false(await growUnmounted(small.device), 'it has all of its disk');
  truncateSync(small.file, 256 * MiB);
  updateLoopCapacity(small.device);
  t.true(await growUnmounted(small.device));
  t.like(await probeDisk(small.device), { sizeBytes: 256 * MiB, unclean: false });
});

test('a file system at rest lets writers wait until it goes on', async (t) => {
  const { device, mountPoint } = emptyDisk(t);
  await makeFileSystem(device, 'ext4');
  await mountWaiting({ source: device, target: mountPoint, type: 'ext4' });
  const frozen = await freezeFileSystem(mountPoint);
  t.truthy(frozen);
  t.is(await freezeFileSystem(mountPoint), undefined, 'it is at rest already');
  await t.throwsAsync(unmountWaiting(mountPoint), { code: 'EBUSY' });
  let written = false;
  const writer = run('sh', ['-c', `echo words > ${mountPoint}/file`]).then(() => (written = true));
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.false(written);
  frozen?.thaw();
  await writer;
  t.is(readFileSync(join(mountPoint, 'file'), 'utf8'), 'words\n');
  t.false(await thawDevice(device), 'it was not at rest');
});

test('a file system whose freezer died is let go on, mounted or not', async (t) => {
  const { device, mountPoint, file } = emptyDisk(t);
  await makeFileSystem(device, 'ext4');
  await mountWaiting({ source: device, target: mountPoint, type: 'ext4' });
  await run('fsfreeze', ['-f', mountPoint]);
  t.true(await thawDevice(device));
  await run('fsfreeze', ['-f', mountPoint]);
  await unmountWaiting(mountPoint);
  t.true(isHeld(device), 'unmounted, and at rest for ever');
  t.true(await thawDevice(device));
  await detachLoop({ path: device, backingFile: file });
});

test('copies the data of a sparse file and not its holes, and tells how far it is', async (t) => {
  const directory = scratch(t);
  const [source, target] = [join(directory, 'source'), join(directory, 'target')];
  createSparseFile(source, 64 * MiB);
  const data = Buffer.alloc(5 * MiB, 'data ');
  await run('dd', [`of=${source}`, 'bs=1M', 'seek=20', 'conv=notrunc', 'status=none'], { input: data });
  const progress: number[] = [];
  await copySparse(source, target, { onProgress: (copied, total) => progress.push(copied / total) });
  t.true(readFileSync(source).equals(readFileSync(target)));
  t.true(statSync(target).blocks * 512 < 8 * MiB);
  t.is(progress.at(-1), 1);
  await t.throwsAsync(copySparse(source, target), { message: /EEXIST/ });
  const aborted = copySparse(source, join(directory, 'third'), { signal: AbortSignal.abort() });
  await t.throwsAsync(aborted, { name: 'AbortError' });
  t.throws(() => statSync(join(directory, 'third')), { code: 'ENOENT' }, 'half a copy is no copy');
});

test('says whether files can share blocks, and clones where they can', async (t) => {
  const { directory, device, mountPoint } = emptyDisk(t, { size: 300 * MiB });
  await makeFileSystem(device, 'xfs');
  await mountWaiting({ source: device, target: mountPoint, type: 'xfs' });
  t.true(canClone(mountPoint));
  const source = join(mountPoint, 'source');
  writeFileSync(source, Buffer.alloc(50 * MiB, 'x'), { flush: true });
  await cloneFile(source, join(mountPoint, 'clone'));
  t.true(readFileSync(source).equals(readFileSync(join(mountPoint, 'clone'))));
  await t.throwsAsync(cloneFile(source, join(mountPoint, 'clone')), { code: 'EEXIST' });
  await t.throwsAsync(cloneFile(source, join(directory, 'elsewhere')), {
    message: /EXDEV|EOPNOTSUPP|ENOTSUP/,
  });
});

test('sorts mount options into flags and the file system’s own', (t) => {
  t.deepEqual(parseMountOptions(['noatime', 'ro,data=journal', 'defaults', '']), {
    flags: ['noatime', 'ro'],
    data: 'data=journal',
  });
  t.deepEqual(parseMountOptions(['ro', 'rw', 'commit=5', 'nobarrier']), {
    flags: [],
    data: 'commit=5,nobarrier',
  });
});
