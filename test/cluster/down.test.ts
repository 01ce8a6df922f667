import { spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { MAIN } from '../../cluster/belonging.ts';
import { startDaemon, stopDaemon } from '../../cluster/daemons.ts';
import { prepareDiskPool } from '../../cluster/disk-pool.ts';
import { down } from '../../cluster/index.ts';
import { clusterPaths } from '../../cluster/paths.ts';
import { prepareStateDir } from '../../cluster/state-dir.ts';
import { isMountPoint, mountsBelow } from '../../linux/mount-info.ts';
import { bindMount, mount, unmount } from '../../linux/mount.ts';
import { isAlive, identify } from '../../linux/process.ts';
import { expectNothingLeft, skipUnless, tracesOf, until } from '../environment.ts';

/** A state folder with a log in it, as `up` makes it before anything runs. */
function prepare(t: ExecutionContext, what: string, chosen?: string): { name: string; log: string } {
  const name = `dn-${process.pid}-${what}`;
  prepareStateDir(name, chosen);
  t.teardown(() => down(name));
  const { logs } = clusterPaths(name);
  mkdirSync(logs);
  const log = join(logs, 'node-1.log');
  writeFileSync(log, 'a line\n');
  return { name, log };
}

/** Starts a process of this test; it is running the program when this returns. */
async function begin(
  t: ExecutionContext,
  command: string,
  args: string[],
  more: { cwd?: string; env?: NodeJS.ProcessEnv; argv0?: string } = {},
): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'], ...more });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  await until(`${command} runs`, () => commandLine(child).includes(args.at(-1) ?? more.argv0 ?? command));
  return child;
}

const commandLine = ({ pid }: ChildProcess): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

const lives = ({ pid = 0 }: ChildProcess): boolean => {
  const identity = identify(pid);
  return identity !== undefined && isAlive(identity);
};

const temporary = (t: ExecutionContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'dn-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

test("down ends the cluster's own, and no process of a person that only names a path of it", async (t) => {
  const { name, log } = prepare(t, 'others');
  const strangers = await Promise.all([
    begin(t, 'tail', ['-f', log]),
    begin(t, 'sh', ['-c', 'while :; do sleep 1; done', 'podwright', log]),
    // Podwright's own, but of no cluster, or of another one.
    begin(t, process.execPath, ['-e', `setInterval(() => '${log}', 1000)`]),
    begin(t, 'sleep', ['1001'], { env: { ...process.env, PODWRIGHT_BELONGS_TO: `${name}-b` } }),
    begin(t, 'cat', [], { argv0: `podwright node-1 --name ${name}` }),
  ]);
  const own = await begin(t, 'sleep', ['1003'], { env: { ...process.env, PODWRIGHT_BELONGS_TO: name } });
  await down(name);
  await until('what belongs to the cluster has ended', () => !lives(own));
  t.deepEqual(strangers.map(lives), [true, true, true, true, true]);
  await expectNothingLeft(name, ['mounts', 'networkNamespaces', 'cgroups']);
});

test('down ends `podwright logs -f` and what it has started', async (t) => {
  const { name, log } = prepare(t, 'logs');
  const follower = await begin(t, process.execPath, [MAIN, 'logs', '-f', '--name', name, 'node-1']);
  const tails = () => tracesOf(`tail -F -n +1 ${log}`, ['processes']).processes ?? [];
  await until('tail runs', () => tails().length === 1);
  await down(name);
  await until('both have ended', () => !lives(follower) && tails().length === 0);
  t.pass();
});

test('down ends a component that was started by hand', async (t) => {
  const { name } = prepare(t, 'hand');
  const script = `process.title = 'podwright kubelet --name ${name}'; setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['-e', script, 'x'.repeat(100)], { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  await until('it has its title', () => commandLine(child).startsWith('podwright kubelet'));
  await down(name);
  await until('it has ended', () => !lives(child));
  t.pass();
});

test('down succeeds while somebody has a file open in the state folder, or works in it', async (t) => {
  const { name, log } = prepare(t, 'open');
  const { state } = clusterPaths(name);
  const volume = join(state, 'volume');
  mkdirSync(volume);
  mount({ type: 'tmpfs', target: volume });
  const reader = await begin(t, 'tail', ['-f', log]);
  const shell = await begin(t, 'sleep', ['1004'], { cwd: state });
  const inside = await begin(t, 'sleep', ['1005'], { cwd: volume });
  await down(name);
  t.deepEqual([reader, shell, inside].map(lives), [true, true, true]);
  t.false(existsSync(state));
  await expectNothingLeft(name, ['mounts']);
});

test('down unmounts what is mounted in the state folder and deletes nothing behind it', async (t) => {
  const { name } = prepare(t, 'behind');
  const precious = temporary(t);
  writeFileSync(join(precious, 'file'), 'kept');
  const inside = join(clusterPaths(name).state, 'host-path');
  mkdirSync(inside);
  bindMount({ source: precious, target: inside });
  const holder = await begin(t, 'sleep', ['1006'], { cwd: inside });
  await down(name);
  t.true(lives(holder));
  t.is(readFileSync(join(precious, 'file'), 'utf8'), 'kept');
});

test('down of a cluster on a disk of the user empties the disk and leaves it mounted', async (t) => {
  const disk = temporary(t);
  mount({ type: 'tmpfs', target: disk });
  t.teardown(() => unmount(disk, { ifMounted: true }));
  const { name, log } = prepare(t, 'disk', disk);
  t.is(mountsBelow(disk).length, 2, 'the disk, and our own shared mount of it');
  prepareStateDir(name, disk);
  t.is(mountsBelow(disk).length, 2);
  t.true(existsSync(join(disk, 'logs')));
  await down(name);
  t.true(isMountPoint(disk));
  t.is(mountsBelow(disk).length, 1);
  t.false(existsSync(log));
  t.false(existsSync(join(disk, 'logs')));
});

test('up over links finds the real folders, makes one mount, and down removes them', async (t) => {
  const folder = temporary(t);
  mkdirSync(join(folder, 'data'));
  mkdirSync(join(folder, 'disks'));
  symlinkSync(join(folder, 'data'), join(folder, 'link'));
  symlinkSync('disks', join(folder, 'pool'));
  const { name } = prepare(t, 'link', join(folder, 'link'));
  prepareDiskPool(name, join(folder, 'pool'));
  prepareStateDir(name, join(folder, 'link'));
  prepareStateDir(name);
  prepareDiskPool(name, join(folder, 'disks'));
  t.is(mountsBelow(folder).length, 1);
  t.true(existsSync(join(folder, 'data', 'logs')));
  writeFileSync(join(folder, 'disks', name, 'disk'), '');
  await down(name);
  t.is(mountsBelow(folder).length, 0);
  t.deepEqual(
    ['data', `disks/${name}`].map((path) => existsSync(join(folder, path))),
    [false, false],
  );
  t.true(existsSync(join(folder, 'disks')));
});

test('up over a link that leads nowhere says so and makes nothing there, and down removes the link', async (t) => {
  const folder = temporary(t);
  const name = `dn-${process.pid}-away`;
  const { state, cloud } = clusterPaths(name);
  const refusal = (path: string, place: string) => ({
    message: `${path} leads to ${join(folder, place)}, which is not there; mount its disk, or take the cluster down`,
  });
  t.teardown(() => down(name));
  mkdirSync('/var/lib/podwright', { recursive: true });
  symlinkSync(join(folder, 'data'), state);
  t.throws(() => prepareStateDir(name), refusal(state, 'data'));
  t.throws(() => prepareStateDir(name, join(folder, 'data')), refusal(state, 'data'));
  t.false(existsSync(join(folder, 'data')));
  t.deepEqual(await down(name), { existed: true });
  t.false(existsSync(state));

  prepareStateDir(name);
  symlinkSync(join(folder, 'disks'), cloud);
  t.throws(() => prepareDiskPool(name), refusal(cloud, 'disks'));
  t.false(existsSync(join(folder, 'disks')));
});

test('up and down leave another disk alone that is mounted in place of the state, or a mount point without any', async (t) => {
  const disk = temporary(t);
  const name = `dn-${process.pid}-swapped`;
  const { state } = clusterPaths(name);
  t.teardown(() => down(name));
  const tmpfs = () => mount({ type: 'tmpfs', target: disk });
  tmpfs();
  t.teardown(() => unmount(disk, { ifMounted: true }));
  prepareStateDir(name, disk);
  unmount(disk);
  unmount(disk);
  const refusal = {
    message: `${state} leads to ${disk}, where cluster '${name}' is not; mount its disk, or take the cluster down`,
  };
  const refused = () => {
    t.throws(() => prepareStateDir(name), refusal);
    t.throws(() => prepareStateDir(name, disk), refusal);
  };
  refused();
  t.deepEqual(readdirSync(disk), []);

  tmpfs();
  for (const folder of ['cloud', 'nodes/inside']) mkdirSync(join(disk, folder), { recursive: true });
  mount({ type: 'tmpfs', target: join(disk, 'nodes/inside') });
  t.teardown(() => unmount(join(disk, 'nodes/inside'), { ifMounted: true }));
  for (const file of ['precious', 'cloud/precious', 'nodes/inside/precious'])
    writeFileSync(join(disk, file), '');
  refused();
  t.deepEqual(await down(name), { existed: true });
  const left = readdirSync(disk, { recursive: true, encoding: 'utf8' }).toSorted();
  const inNodes = ['nodes', 'nodes/inside', 'nodes/inside/precious'];
  t.deepEqual(left, ['cloud', 'cloud/precious', ...inNodes, 'precious']);
  t.false(existsSync(state));
  t.is(mountsBelow(disk).length, 2);
});

test('up and down leave another disk alone that is mounted in place of the pool, or a mount point without any', async (t) => {
  const pool = temporary(t);
  const { name } = prepare(t, 'pool');
  const { state, cloud } = clusterPaths(name);
  const place = join(pool, name);
  const tmpfs = () => mount({ type: 'tmpfs', target: pool });
  tmpfs();
  t.teardown(() => unmount(pool, { ifMounted: true }));
  prepareDiskPool(name, pool);
  prepareDiskPool(name);
  unmount(pool);
  t.throws(() => prepareDiskPool(name, pool), {
    message: `${cloud} leads to ${place}, which is not there; mount its disk, or take the cluster down`,
  });
  tmpfs();
  mkdirSync(place);
  writeFileSync(join(place, 'precious'), '');
  for (const chosen of [undefined, pool]) {
    t.throws(() => prepareDiskPool(name, chosen), {
      message: `${cloud} leads to ${place}, where the disks of cluster '${name}' are not; mount the pool, or take the cluster down`,
    });
  }
  await down(name);
  t.false(existsSync(state));
  t.deepEqual(readdirSync(place), ['precious']);
});

test('two clusters have their disks in one pool, and down of one leaves those of the other', async (t) => {
  const pool = temporary(t);
  const [one, other] = [prepare(t, 'one').name, prepare(t, 'one-b').name];
  for (const name of [one, other]) {
    prepareDiskPool(name, pool);
    mkdirSync(join(pool, name, 'records', 'zones'), { recursive: true });
  }
  rmSync(join(pool, one, '.podwright-cluster')); // as from before there were markers
  prepareDiskPool(one, pool);
  await down(one);
  t.deepEqual(readdirSync(pool), [other]);
  t.deepEqual(readdirSync(join(pool, other)), ['.podwright-cluster', 'records']);
  await down(other);
  t.deepEqual(readdirSync(pool), []);
});

test('up goes on with the state when its disk is back, also with one from before there were markers', async (t) => {
  const [disk, place] = [temporary(t), temporary(t)];
  const { name, log } = prepare(t, 'back', place);
  unmount(place);
  rmSync(join(place, '.podwright-cluster'));
  writeFileSync(join(place, 'cluster.json'), 'not of ours');
  t.throws(() => prepareStateDir(name), { message: /where cluster 'dn-.*-back' is not/ });
  writeFileSync(join(place, 'cluster.json'), JSON.stringify({ version: 2, name }));
  bindMount({ source: disk, target: place });
  t.throws(() => prepareStateDir(name), { message: /where cluster 'dn-.*-back' is not/ });
  unmount(place);
  prepareStateDir(name);
  t.true(existsSync(log));
  await down(name);
  t.false(existsSync(place));
});

test('an up that was killed between folder and link is gone on with by up', async (t) => {
  const folder = temporary(t);
  mkdirSync(join(folder, 'data'));
  const marker = join(folder, 'data', '.podwright-cluster');
  writeFileSync(marker, 'other\n');
  t.throws(() => prepare(t, 'half', join(folder, 'data')), { message: /the folder is not empty/ });
  writeFileSync(marker, `dn-${process.pid}-half\n`);
  const { name } = prepare(t, 'half', join(folder, 'data'));
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, '.podwright-cluster'), '');
  prepareDiskPool(name, folder);
  await down(name);
  t.deepEqual(readdirSync(folder), []);
});

test('an up that was killed while it marked the folder is gone on with by up', async (t) => {
  const folder = temporary(t);
  mkdirSync(join(folder, 'data'));
  const marker = join(folder, 'data', '.podwright-cluster');
  writeFileSync(marker, '');
  const { name } = prepare(t, 'marking', join(folder, 'data'));
  t.is(readFileSync(marker, 'utf8'), `${name}\n`);
  await down(name);
  t.deepEqual(readdirSync(folder), []);
});

test('down of a cluster that has a disk of the user on a folder of it empties that disk', async (t) => {
  const folder = temporary(t);
  const { name } = prepare(t, 'within', join(folder, 'data'));
  prepareDiskPool(name);
  const disk = join(folder, 'data', 'cloud');
  mount({ type: 'tmpfs', target: disk });
  t.teardown(() => unmount(disk, { ifMounted: true }));
  await down(name);
  t.deepEqual(readdirSync(folder), []);
  await expectNothingLeft(name, ['mounts']);
});

test('a daemon that SIGKILL does not end is told with its pid and what to do', async (t) => {
  const freezer = '/sys/fs/cgroup/freezer';
  if (skipUnless(t, existsSync(freezer), 'needs the freezer of cgroup v1, which holds off SIGKILL')) return;
  const { name } = prepare(t, 'frozen');
  // It would end at once, for want of a cluster file, if it were not frozen before that.
  const daemon = startDaemon({ cluster: name, name: 'node-1', command: ['control-plane', '--name', name] });
  const cgroup = join(freezer, name);
  mkdirSync(cgroup);
  const write = (file: string, text: string) => writeFileSync(join(cgroup, file), text);
  write('cgroup.procs', String(daemon.pid));
  write('freezer.state', 'FROZEN');
  try {
    await t.throwsAsync(stopDaemon(name, 'node-1', { graceMs: 20 }), {
      message: new RegExp(
        `^stop node-1 of cluster ${name}: pid ${daemon.pid} has not ended 20 ms after SIGKILL; .*/proc/${daemon.pid}/stack`,
      ),
    });
  } finally {
    write('freezer.state', 'THAWED');
    await until('its cgroup is removed', () => {
      rmdirSync(cgroup);
      return true;
    });
  }
});
