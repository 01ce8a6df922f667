import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { isMountPoint } from '../../../linux/mount-info.ts';
import { mount, setPropagation } from '../../../linux/mount.ts';
import { until } from '../../environment.ts';
import { machine, type Machine } from './machine.ts';

/** A directory of the host with a file in it. */
function volume({ directory }: Machine, name = 'volume'): string {
  const path = join(directory, name);
  mkdirSync(join(path, 'below'), { recursive: true });
  writeFileSync(join(path, 'file'), 'from the host\n');
  return path;
}

test('directories and files of the host, on paths that may be missing', async (t) => {
  const vm = machine(t);
  const source = volume(vm);
  const { stdout } = await vm.outcome('cat /data/file /deep/on/the/way/name; echo written > /data/new', {
    mounts: [
      { source, target: '/data' },
      { source: join(source, 'file'), target: '/deep/on/the/way/name' },
    ],
  });
  t.is(stdout, 'from the host\nfrom the host\n');
  t.is(readFileSync(join(source, 'new'), 'utf8'), 'written\n');
});

test('read-only holds for the mount, recursive read-only for those below', async (t) => {
  const vm = machine(t);
  const source = volume(vm);
  mount({ type: 'tmpfs', target: join(source, 'below') });
  const { stdout } = await vm.outcome(
    'for path in /ro/x /ro/below/x /rro/below/x /rw/below/y; do touch $path 2>/dev/null && echo $path; done',
    {
      mounts: [
        { source, target: '/ro', readOnly: true },
        { source, target: '/rro', readOnly: true, recursiveReadOnly: true },
        { source, target: '/rw' },
      ],
    },
  );
  t.is(stdout, '/ro/below/x\n/rw/below/y\n');
});

test('a symlink of the image cannot lead a mount out of the container', async (t) => {
  const vm = machine(t);
  const source = volume(vm);
  const outside = join(vm.directory, 'outside');
  mkdirSync(outside);
  const { rootfs } = vm.specification('true');
  symlinkSync(outside, join(rootfs.upperDirectory, 'absolute'));
  symlinkSync('../../../../../../..' + outside, join(rootfs.upperDirectory, 'relative'));
  symlinkSync('nowhere/yet', join(rootfs.upperDirectory, 'dangling'));
  const { stdout, exitCode } = await vm.outcome(
    'cat /absolute/a/file /relative/b/file /dangling/c/file /nowhere/yet/c/file',
    {
      rootfs,
      mounts: [
        { source, target: '/absolute/a' },
        { source, target: '/relative/b' },
        { source, target: '/dangling/c' },
        { source, target: '/../../escape' },
      ],
    },
  );
  t.is(exitCode, 0);
  t.is(stdout, 'from the host\n'.repeat(4));
  t.deepEqual(readdirSync(outside), []);
  t.false(existsSync(join(vm.directory, 'escape')));
});

for (const [place, type] of [
  ['proc', 'proc'],
  ['sys', 'sysfs'],
  ['dev', 'tmpfs'],
] as const) {
  test(`an image whose /${place} is a symlink is refused`, async (t) => {
    const vm = machine(t);
    const { rootfs } = vm.specification('true');
    symlinkSync('tmp', join(rootfs.upperDirectory, place));
    await t.throwsAsync(vm.outcome('true', { rootfs }), {
      name: 'StartError',
      message: `unable to start container process: error during container init: filesystem "${type}" must be mounted on ordinary directory`,
    });
  });
}

test('mounts of the host arrive where host-to-container is asked for, and nowhere else', async (t) => {
  const vm = machine(t);
  const source = volume(vm);
  mount({ type: 'tmpfs', target: source });
  setPropagation(source, 'shared');
  mkdirSync(join(source, 'later'));
  const { started } = await vm.start('sleep 100', {
    mounts: [
      { source, target: '/slave', propagation: 'host-to-container' },
      { source, target: '/private' },
    ],
  });
  mount({ type: 'tmpfs', target: join(source, 'later') });
  writeFileSync(join(source, 'later/seen'), '');
  const inside = (path: string) => existsSync(`/proc/${started.pid}/root${path}`);
  t.true(inside('/slave/later/seen'));
  t.false(inside('/private/later/seen'));
});

test('mounts of the container arrive at the host where bidirectional is asked for', async (t) => {
  const vm = machine(t);
  const source = volume(vm);
  mount({ type: 'tmpfs', target: source });
  setPropagation(source, 'shared');
  mkdirSync(join(source, 'from-inside'));
  await vm.start('mount -t tmpfs none /both/from-inside; sleep 100', {
    privileged: true,
    process: {
      args: ['sh', '-c', 'mount -t tmpfs none /both/from-inside; sleep 100'],
      env: [],
      capabilities: {
        bounding: ['ALL'],
        effective: ['ALL'],
        permitted: ['ALL'],
        inheritable: [],
        ambient: [],
      },
    },
    mounts: [{ source, target: '/both', propagation: 'bidirectional' }],
  });
  await until('the mount at the host', () => isMountPoint(join(source, 'from-inside')));
  t.pass();
});

test('a read-only root takes writes only in its volumes', async (t) => {
  const vm = machine(t);
  const { stdout } = await vm.outcome(
    'for path in /x /etc/x /tmp/x /data/x /scratch/x /dev/shm/x; do touch $path 2>/dev/null && echo $path; done',
    {
      readOnlyRootfs: true,
      mounts: [{ source: volume(vm), target: '/data' }],
      tmpfs: [{ target: '/scratch', options: 'size=64k' }],
    },
  );
  t.is(stdout, '/data/x\n/scratch/x\n/dev/shm/x\n');
});

test('shared memory is the sandbox’s where one is given', async (t) => {
  const vm = machine(t);
  const shmDirectory = volume(vm, 'shm');
  await vm.outcome('echo for all > /dev/shm/word', { shmDirectory });
  t.is(readFileSync(join(shmDirectory, 'word'), 'utf8'), 'for all\n');
});

test('a container sees its own cgroups and cannot change them', async (t) => {
  const vm = machine(t);
  const directories = { memory: volume(vm, 'memory'), pids: volume(vm, 'pids') };
  const { stdout } = await vm.outcome(
    'ls /sys/fs/cgroup; cat /sys/fs/cgroup/memory/file; touch /sys/fs/cgroup/pids/x /sys/fs/cgroup/y 2>&1 | grep -c Read-only',
    {
      cgroup: { directories },
    },
  );
  t.is(stdout, 'memory\npids\nfrom the host\n2\n');
});
