import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readJson, removeTemporaries, replaceFile, writeFileDurably } from '../../linux/files.ts';
import { openInside, TMPFS_MAGIC, usageOf } from '../../linux/filesystem.ts';
import { mount } from '../../linux/mount.ts';
import { scratch } from './scratch.ts';

test('writes a file as a whole with its mode, and leaves no temporary', async (t) => {
  const directory = scratch(t);
  const path = join(directory, 'state.json');
  await writeFileDurably(path, '{"a":1}', { mode: 0o644 });
  await writeFileDurably(path, '{"a":2}', { mode: 0o640 });
  t.deepEqual(await readJson(path), { a: 2 });
  t.is(statSync(path).mode & 0o777, 0o640);
  replaceFile(path, '{}');
  t.is(readFileSync(path, 'utf8'), '{}');
  t.deepEqual(readdirSync(directory), ['state.json']);
});

test('a failed write leaves what was there', async (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'taken/by-a-directory'), { recursive: true });
  await t.throwsAsync(writeFileDurably(join(directory, 'taken'), 'x'), { code: 'EISDIR' });
  t.throws(() => replaceFile(join(directory, 'taken'), 'x'), { code: 'EISDIR' });
  t.deepEqual(readdirSync(directory), ['taken']);
  await t.throwsAsync(writeFileDurably(join(directory, 'missing/file'), 'x'), { code: 'ENOENT' });
});

test('a write that does not fit as a whole leaves what was there', async (t) => {
  const directory = scratch(t);
  mount({ type: 'tmpfs', target: directory, data: 'size=64k' });
  const path = join(directory, 'state.json');
  replaceFile(path, '{}');
  const tooMuch = 'x'.repeat(100 * 1024);
  const refusal = { code: 'ENOSPC', message: `write ${path}: no space left on device (ENOSPC)` };
  t.throws(() => replaceFile(path, tooMuch), refusal);
  await t.throwsAsync(writeFileDurably(path, tooMuch), refusal);
  t.is(readFileSync(path, 'utf8'), '{}');
  t.deepEqual(readdirSync(directory), ['state.json']);
});

test('what a writer left that was killed is found and removed, and nothing else', async (t) => {
  const directory = scratch(t);
  const path = join(directory, 'state.json');
  replaceFile(path, '{}');
  // Killed at its rename: the bytes are there under their temporary name.
  const script = `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module';
    fs.renameSync = () => process.kill(process.pid, 'SIGKILL'); syncBuiltinESMExports();
    const { replaceFile } = await import(${JSON.stringify(join(import.meta.dirname, '../../linux/files.ts'))});
    replaceFile(process.argv[1], '{"new":1}');`;
  const writer = spawn(process.execPath, ['--input-type=module', '-e', script, path], { stdio: 'inherit' });
  t.deepEqual(await once(writer, 'exit'), [null, 'SIGKILL']);
  writeFileSync(join(directory, '.mine.tmp'), '');
  t.is(readdirSync(directory).length, 3);
  removeTemporaries(directory);
  t.deepEqual(readdirSync(directory), ['.mine.tmp', 'state.json']);
  t.deepEqual(await readJson(path), {});
  t.notThrows(() => removeTemporaries(join(directory, 'missing')));
});

test('a JSON file may be missing, but must be JSON', async (t) => {
  const path = join(scratch(t), 'state.json');
  t.is(await readJson(path), undefined);
  writeFileSync(path, '{"cut');
  await t.throwsAsync(readJson(path), { message: `${path}: not JSON` });
});

test('nothing leads out of a directory that a path is opened inside', (t) => {
  const outside = scratch(t);
  const root = join(outside, 'root');
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'outside');
  writeFileSync(join(root, 'secret'), 'inside');
  symlinkSync('../secret', join(root, 'up'));
  symlinkSync('/secret', join(root, 'absolute'));
  symlinkSync('/', join(root, 'etc/top'));
  const read = (path: string) => {
    using opened = openInside(root, path);
    return readFileSync(opened.path, 'utf8');
  };
  for (const path of ['up', 'absolute', '../secret', '../../secret', 'etc/top/secret'])
    t.is(read(path), 'inside', path);
  for (const path of ['up', 'absolute', '../secret']) {
    t.throws(() => openInside(root, path, { resolve: 'beneath' }), { code: 'EXDEV' }, path);
  }
  t.throws(() => openInside(root, 'up', { noSymlinks: true }), { code: 'ELOOP' });
  t.throws(() => openInside(root, 'nowhere'), { code: 'ENOENT', message: /^open nowhere inside / });
  using here = openInside(root, '');
  t.is(here.realPath(), root);
});

test('tells how full a file system is', async (t) => {
  const directory = scratch(t);
  mount({ type: 'tmpfs', target: directory, data: 'size=1m,nr_inodes=10' });
  writeFileSync(join(directory, 'file'), Buffer.alloc(256 * 1024));
  const usage = await usageOf(directory);
  t.like(usage, {
    type: TMPFS_MAGIC,
    capacityBytes: 1024 * 1024,
    usedBytes: 256 * 1024,
    inodes: 10,
    inodesUsed: 2,
  });
  t.is(usage.availableBytes, 768 * 1024);
  t.true(existsSync(directory));
});
