import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import {
  isMountPoint,
  mountsBelow,
  parseMountInfoLine,
  readMountInfo,
  unmountBelow,
} from '../../linux/mount-info.ts';
import { bindMount, mount, setPropagation, unmount } from '../../linux/mount.ts';
import { scratch } from './scratch.ts';

test('mounts a tmpfs with its options, and takes it away', (t) => {
  const target = join(scratch(t), 'with space');
  mkdirSync(target);
  mount({ type: 'tmpfs', source: 'mine', target, flags: ['nosuid', 'nodev'], data: 'size=64k,mode=0700' });
  t.true(isMountPoint(target));
  const [info] = mountsBelow(target);
  t.like(info, { mountPoint: target, type: 'tmpfs', source: 'mine' });
  t.true(info?.options.includes('nosuid'));
  t.true(info?.superOptions.includes('size=64k'));
  unmount(target);
  t.false(isMountPoint(target));
});

test('says operation, path and errno when a mount fails', (t) => {
  t.throws(() => mount({ type: 'tmpfs', target: '/nonexistent/kk' }), {
    name: 'SystemError',
    code: 'ENOENT',
    message: 'mount tmpfs on /nonexistent/kk: no such file or directory (ENOENT)',
  });
  t.throws(() => mount({ type: 'nosuchfs', target: scratch(t) }), { code: 'ENODEV' });
});

test('unmounting what is not mounted is an error, unless it may be so', (t) => {
  const directory = scratch(t);
  t.throws(() => unmount(directory), { code: 'EINVAL' });
  t.notThrows(() => unmount(directory, { ifMounted: true }));
  t.notThrows(() => unmount(join(directory, 'missing'), { ifMounted: true }));
});

test('does not follow a symlink when it unmounts', (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'real'));
  mount({ type: 'tmpfs', target: join(directory, 'real') });
  symlinkSync('real', join(directory, 'link'));
  t.throws(() => unmount(join(directory, 'link')), { code: 'EINVAL' });
  t.true(isMountPoint(join(directory, 'real')));
});

test('read-only is for the mount alone, recursive read-only for those below it too', (t) => {
  const directory = scratch(t);
  for (const name of ['source', 'plain', 'deep']) mkdirSync(join(directory, name));
  mkdirSync(join(directory, 'source/below'));
  mount({ type: 'tmpfs', target: join(directory, 'source/below') });
  const bind = (name: string, readOnly: true | 'recursive') =>
    bindMount({
      source: join(directory, 'source'),
      target: join(directory, name),
      recursive: true,
      readOnly,
    });
  bind('plain', true);
  bind('deep', 'recursive');
  t.throws(() => writeFileSync(join(directory, 'plain/file'), ''), { code: 'EROFS' });
  t.notThrows(() => writeFileSync(join(directory, 'plain/below/file'), ''));
  t.throws(() => writeFileSync(join(directory, 'deep/below/other'), ''), { code: 'EROFS' });
  t.notThrows(() => writeFileSync(join(directory, 'source/file'), ''), 'the source stays writable');
});

test('read-only keeps the flags that the mount has', (t) => {
  const directory = scratch(t);
  for (const name of ['source', 'target']) mkdirSync(join(directory, name));
  mount({ type: 'tmpfs', target: join(directory, 'source'), flags: ['nosuid', 'noexec'] });
  bindMount({ source: join(directory, 'source'), target: join(directory, 'target'), readOnly: true });
  const options = mountsBelow(join(directory, 'target'))[0]?.options ?? [];
  t.deepEqual(
    ['ro', 'nosuid', 'noexec'].filter((option) => !options.includes(option)),
    [],
  );
});

test('a mount travels to a shared copy and not to a private one', (t) => {
  const directory = scratch(t);
  for (const name of ['origin', 'shared', 'private']) mkdirSync(join(directory, name));
  mount({ type: 'tmpfs', target: join(directory, 'origin') });
  setPropagation(join(directory, 'origin'), 'shared');
  bindMount({ source: join(directory, 'origin'), target: join(directory, 'shared') });
  bindMount({
    source: join(directory, 'origin'),
    target: join(directory, 'private'),
    propagation: 'private',
  });
  mkdirSync(join(directory, 'origin/new'));
  mount({ type: 'tmpfs', target: join(directory, 'origin/new') });
  t.true(isMountPoint(join(directory, 'shared/new')));
  t.false(isMountPoint(join(directory, 'private/new')));
});

test('unmounts everything below a directory, deepest first, and nothing beside it', (t) => {
  const directory = scratch(t);
  for (const path of ['a', 'ab']) {
    mkdirSync(join(directory, path));
    mount({ type: 'tmpfs', target: join(directory, path) });
  }
  mkdirSync(join(directory, 'a/b'));
  mount({ type: 'tmpfs', target: join(directory, 'a/b') });
  t.deepEqual(
    mountsBelow(join(directory, 'a')).map(({ mountPoint }) => mountPoint),
    [join(directory, 'a/b'), join(directory, 'a')],
  );
  unmountBelow(join(directory, 'a'));
  t.deepEqual(mountsBelow(join(directory, 'a')), []);
  t.true(isMountPoint(join(directory, 'ab')));
});

test('a failed bind leaves nothing mounted', (t) => {
  const directory = scratch(t);
  t.throws(() => bindMount({ source: join(directory, 'missing'), target: directory, readOnly: true }), {
    code: 'ENOENT',
  });
  t.false(isMountPoint(directory));
});

test('reads a line of mountinfo', (t) => {
  const line = String.raw`36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue`;
  t.deepEqual(parseMountInfoLine(line), {
    id: 36,
    parentId: 35,
    major: 98,
    minor: 0,
    root: '/mnt1',
    mountPoint: '/mnt 2',
    options: ['rw', 'noatime'],
    optional: ['master:1', 'shared:2'],
    type: 'ext3',
    source: '/dev/root',
    superOptions: ['rw', 'errors=continue'],
  });
  t.throws(() => parseMountInfoLine('nonsense'), { message: /not understood/ });
});

test('reads all the mounts that there are', (t) => {
  t.is(readMountInfo().length, readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n').length);
  t.true(existsSync('/proc/self/mountinfo'));
});
