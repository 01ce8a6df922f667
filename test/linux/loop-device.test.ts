import { closeSync, linkSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { blockDeviceBytes, blockDeviceNumber, flushBlockDevice, isHeld } from '../../linux/block-device.ts';
import { run } from '../../linux/command.ts';
import {
  attachLoop,
  detachLoop,
  listLoops,
  loopAt,
  loopsBelow,
  loopsOf,
  setLoopDirectIo,
  updateLoopCapacity,
} from '../../linux/loop-device.ts';
import { unmount } from '../../linux/mount.ts';
import { skipUnless, until } from '../environment.ts';
import { scratch } from './scratch.ts';

const MiB = 1024 * 1024;

function sparseFile(directory: string, { name = 'disk.img', size = 16 * MiB } = {}): string {
  const file = join(directory, name);
  writeFileSync(file, '');
  truncateSync(file, size);
  return file;
}

/** A scratch directory whose loop devices are detached at the end. */
function pool(t: ExecutionContext): string {
  const directory = scratch(t);
  t.teardown(async () => {
    for (const loop of loopsBelow(directory)) await detachLoop(loop);
  });
  return directory;
}

test('makes a file a block device of its size, and takes it back', async (t) => {
  const file = sparseFile(pool(t));
  const path = attachLoop(file);
  t.like(loopAt(path), { path, backingFile: file, deleted: false, readOnly: false });
  t.deepEqual(
    loopsOf(file).map((loop) => loop.path),
    [path],
  );
  t.is(blockDeviceBytes(path), 16 * MiB);
  t.is(blockDeviceNumber(path)?.major, 7);
  await detachLoop({ path, backingFile: file });
  t.deepEqual(loopsOf(file), []);
  await t.notThrowsAsync(detachLoop({ path, backingFile: file }), 'twice is no error');
});

test('a read-only device cannot be written', (t) => {
  const path = attachLoop(sparseFile(pool(t)), { readOnly: true });
  t.true(loopAt(path)?.readOnly);
  // Older kernels refuse the open, newer ones the write.
  t.throws(() => writeFileSync(path, 'x', { flag: 'r+' }), { message: /EACCES|EPERM|EROFS/ });
});

test('a device that was given to another file meanwhile stays as it is', async (t) => {
  const directory = pool(t);
  const [first, second] = [sparseFile(directory), sparseFile(directory, { name: 'second.img' })];
  const path = attachLoop(first);
  await detachLoop({ path, backingFile: first });
  const again = attachLoop(second);
  await detachLoop({ path: again, backingFile: first });
  t.is(loopAt(again)?.backingFile, second);
});

/** As people do it; it gives up when others were quicker several times. */
async function losetup(file: string): Promise<{ stdout: string }> {
  for (let left = 10; ; left -= 1) {
    try {
      return await run('losetup', ['--find', '--show', file]);
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

test('twenty at once get twenty devices', async (t) => {
  const directory = pool(t);
  const files = Array.from({ length: 20 }, (_, index) =>
    sparseFile(directory, { name: `${index}.img`, size: MiB }),
  );
  // Others do the same, by losetup, at the same moment.
  const others = files.slice(10).map((file) => losetup(file));
  const ours = files.slice(0, 10).map((file) => attachLoop(file));
  const paths = [...ours, ...(await Promise.all(others)).map(({ stdout }) => stdout.trim())];
  t.is(new Set(paths).size, 20);
  t.deepEqual(
    paths.map((path) => loopAt(path)?.backingFile),
    files,
  );
});

test('is found by any name of its file, and by the last one after its removal', async (t) => {
  const directory = pool(t);
  const file = sparseFile(directory);
  linkSync(file, join(directory, 'other-name'));
  const path = attachLoop(file);
  t.is(loopsOf(join(directory, 'other-name'))[0]?.path, path);
  rmSync(file);
  rmSync(join(directory, 'other-name'));
  t.like(loopsOf(file)[0], { path, deleted: true, backingFile: file });
  await detachLoop({ path, backingFile: file });
  t.deepEqual(loopsBelow(directory), []);
});

test('grows with its file', (t) => {
  const file = sparseFile(pool(t));
  const path = attachLoop(file);
  truncateSync(file, 32 * MiB);
  t.is(blockDeviceBytes(path), 16 * MiB);
  updateLoopCapacity(path);
  t.is(blockDeviceBytes(path), 32 * MiB);
});

test('is not taken away while it is mounted', async (t) => {
  const directory = pool(t);
  const file = sparseFile(directory);
  const path = attachLoop(file);
  await run('mkfs.ext4', ['-q', path]);
  const target = join(directory, 'mounted');
  await run('mkdir', [target]);
  await run('mount', [path, target]);
  t.true(isHeld(path));
  await t.throwsAsync(detachLoop({ path, backingFile: file }, { timeoutMs: 20 }), {
    code: 'EBUSY',
    message: `detach loop (the device is mounted or held) ${path}: resource busy or locked (EBUSY)`,
  });
  t.is(loopAt(path)?.backingFile, file);
  unmount(target);
  // Another test's container may have copied the mounts a moment ago, and lets go of them soon.
  await until('nobody holds the device', () => !isHeld(path));
  await detachLoop({ path, backingFile: file });
});

test('one that a program keeps open goes at its last close', async (t) => {
  const file = sparseFile(pool(t));
  const path = attachLoop(file);
  const fd = openSync(path, 'r');
  await t.throwsAsync(detachLoop({ path, backingFile: file }, { timeoutMs: 20 }), { code: 'EBUSY' });
  closeSync(fd);
  await until('the device has no file', () => loopAt(path) === undefined);
});

test('flushing brings what a mounted file system holds in memory to the backing file', async (t) => {
  const directory = pool(t);
  const file = sparseFile(directory);
  const path = attachLoop(file);
  await run('mkfs.ext4', ['-q', path]);
  const target = join(directory, 'mounted');
  await run('mkdir', [target]);
  await run('mount', [path, target]);
  writeFileSync(join(target, 'words'), 'a sentence that can be found again');
  await flushBlockDevice(path);
  t.true(readFileSync(file).includes('a sentence that can be found again'));
  unmount(target);
});

test('goes past the page cache or through it, also while it is in use', (t) => {
  const file = sparseFile(pool(t));
  const path = attachLoop(file, { directIo: true });
  const able = loopAt(path)?.directIo === true;
  if (skipUnless(t, able, 'the file system of the temporary directory has no direct I/O')) return;
  setLoopDirectIo(path, false);
  t.false(loopAt(path)?.directIo);
  setLoopDirectIo(path, true);
  t.true(loopAt(path)?.directIo);
});

test('says what failed', (t) => {
  const directory = pool(t);
  t.throws(() => attachLoop(join(directory, 'missing')), { code: 'ENOENT' });
  t.throws(() => updateLoopCapacity('/dev/null'), {
    message: 'set capacity of loop /dev/null: inappropriate ioctl for device (ENOTTY)',
  });
  t.throws(() => blockDeviceBytes('/dev/null'), { message: /^size of \/dev\/null: .*\(ENOTTY\)$/ });
  t.is(blockDeviceNumber('/dev/null'), undefined);
  t.true(listLoops().every(({ path }) => path.startsWith('/dev/loop')));
});
