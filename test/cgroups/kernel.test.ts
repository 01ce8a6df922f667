import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { type Cgroups, openCgroups } from '../../cgroups/index.ts';
import { mount } from '../../linux/mount.ts';
import { patience, skipUnless, until } from '../environment.ts';
import { scratch } from '../linux/scratch.ts';
import { joining, scratchCgroup } from './scratch.ts';

const has = (cgroups: Cgroups, controller: string): boolean =>
  cgroups.hierarchies.some(({ controllers }) => controllers.includes(controller));

/** The content of a cgroup's file, by its name in the version that this host has. */
function read(
  cgroups: Cgroups,
  path: string,
  { controller, v1, v2 }: { controller: string; v1: string; v2: string },
): string {
  const hierarchy = cgroups.hierarchies.find(({ controllers }) => controllers.includes(controller));
  if (hierarchy === undefined) throw new Error(`no ${controller}`);
  return readFileSync(join(hierarchy.mountPoint, path, hierarchy.version === 1 ? v1 : v2), 'utf8').trim();
}

test('makes a cgroup with its parents in every hierarchy, and removes it', async (t) => {
  const { cgroups, path } = scratchCgroup(t);
  t.true(cgroups.hierarchies.length > 0);
  t.false(cgroups.exists(path));
  cgroups.createCgroup(path);
  cgroups.createCgroup(path);
  t.true(cgroups.exists(path));
  t.true(cgroups.cgroupProcsFiles(path).every((file) => existsSync(file)));
  t.deepEqual(cgroups.children(`${path}/..`), ['container']);
  await cgroups.removeCgroup(path);
  await cgroups.removeCgroup(path);
  t.false(cgroups.exists(path));
});

test('makes a cgroup whose parents somebody else removes while they are empty', async (t) => {
  const { cgroups, path } = scratchCgroup(t);
  const parents = [dirname(path), dirname(dirname(path))].flatMap((parent) =>
    cgroups.cgroupProcsFiles(parent).map((file) => dirname(file)),
  );
  const removing = new Worker(removeOverAndOver, { eval: true, workerData: parents });
  t.teardown(() => removing.terminate());
  await once(removing, 'message');
  for (let round = 0; round < 100; round++) {
    cgroups.createCgroup(path, { cpuShares: 512 });
    t.true(cgroups.exists(path));
    cgroups.removeIfEmpty(path);
  }
});

/** A worker that removes directories as often as they come, and says when it has begun. */
const removeOverAndOver = `
  const { rmdirSync } = require('node:fs');
  const { parentPort, workerData } = require('node:worker_threads');
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let round = 0; ; round++) {
    for (const directory of workerData) try { rmdirSync(directory); } catch {}
    if (round === 0) parentPort.postMessage('begun');
    Atomics.wait(pause, 0, 0, 0.2);
  }
`;

test('CPU shares and quota reach the kernel, and change', (t) => {
  const { cgroups, path } = scratchCgroup(t);
  if (skipUnless(t, has(cgroups, 'cpu'), 'no cpu controller')) return;
  cgroups.createCgroup(path, { cpuShares: 1024, cpuQuotaUs: 50_000, cpuPeriodUs: 100_000 });
  t.is(
    read(cgroups, path, { controller: 'cpu', v1: 'cpu.shares', v2: 'cpu.weight' }).replace(/^1024$/, '100'),
    '100',
  );
  const quota = () => read(cgroups, path, { controller: 'cpu', v1: 'cpu.cfs_quota_us', v2: 'cpu.max' });
  t.true(['50000', '50000 100000'].includes(quota()));
  cgroups.updateCgroup(path, { cpuQuotaUs: 250_000 });
  t.true(['250000', '250000 100000'].includes(quota()));
  cgroups.updateCgroup(path, { cpuQuotaUs: -1 });
  t.true(['-1', 'max 100000'].includes(quota()));
});

test('a quota holds a busy process back', async (t) => {
  const { cgroups, path } = scratchCgroup(t);
  if (skipUnless(t, has(cgroups, 'cpu'), 'no cpu controller')) return;
  cgroups.createCgroup(path, { cpuQuotaUs: 20_000, cpuPeriodUs: 100_000 });
  const busy = spawn('sh', ['-c', `${joining(cgroups, path)} while :; do :; done`], { stdio: 'ignore' });
  await until('some CPU time', () => cgroups.statsOf(path).cpuUsageNs > 0);
  const throttled = () =>
    /nr_throttled (\d+)/.exec(
      read(cgroups, path, { controller: 'cpu', v1: 'cpu.stat', v2: 'cpu.stat' }),
    )?.[1];
  await until('throttling', () => Number(throttled()) > 0);
  busy.kill('SIGKILL');
  await once(busy, 'exit');
  t.pass();
});

test('memory beyond the limit is killed for, and counted', (t) => {
  const { cgroups, path } = scratchCgroup(t);
  if (skipUnless(t, has(cgroups, 'memory'), 'no memory controller')) return;
  const limit = 16 * 1024 * 1024;
  cgroups.createCgroup(path, { memoryLimitBytes: limit, memorySwapLimitBytes: limit });
  t.is(cgroups.statsOf(path).memoryLimitBytes, limit);
  const kills = () => /^oom_kill (\d+)$/m.exec(readFileSync(cgroups.oomFile(path) ?? '', 'utf8'))?.[1];
  t.is(kills(), '0');
  const script = `${joining(cgroups, path)} exec tail /dev/zero`;
  t.is(spawnSync('sh', ['-c', script]).signal, 'SIGKILL');
  t.is(kills(), '1');
});

test('a raised memory limit holds, swap together with it', (t) => {
  const { cgroups, path } = scratchCgroup(t);
  if (skipUnless(t, has(cgroups, 'memory'), 'no memory controller')) return;
  const megabytes = (count: number) => ({ memoryLimitBytes: count << 20, memorySwapLimitBytes: count << 20 });
  for (const size of [32, 64, 16]) {
    cgroups.createCgroup(path, megabytes(size));
    t.is(cgroups.statsOf(path).memoryLimitBytes, size << 20);
  }
  cgroups.updateCgroup(path, { memoryLimitBytes: 0, memorySwapLimitBytes: 0 });
  t.is(cgroups.statsOf(path).memoryLimitBytes, undefined);
});

test('no more processes than the limit', (t) => {
  const { cgroups, path } = scratchCgroup(t);
  if (skipUnless(t, has(cgroups, 'pids'), 'no pids controller')) return;
  cgroups.createCgroup(path, { pidsLimit: 3 });
  const script = `${joining(cgroups, path)} sleep ${0.2 * patience} & sleep ${0.2 * patience} & sleep ${0.2 * patience} & wait`;
  t.regex(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stderr, /Cannot fork/);
});

test('only the CPUs of the set; an impossible set is refused with file and value', (t) => {
  const { cgroups, path } = scratchCgroup(t);
  if (skipUnless(t, has(cgroups, 'cpuset'), 'no cpuset controller')) return;
  cgroups.createCgroup(path, { cpusetCpus: '0' });
  const script = `${joining(cgroups, path)} grep Cpus_allowed_list /proc/self/status`;
  t.is(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout, 'Cpus_allowed_list:\t0\n');
  t.throws(() => cgroups.updateCgroup(path, { cpusetCpus: 'no list' }), {
    name: 'CgroupWriteError',
    message: /^write "no list" to .*\/cpuset\.cpus: EINVAL$/,
  });
});

test('only the devices that are allowed can be opened', (t) => {
  const { cgroups, path } = scratchCgroup(t);
  if (skipUnless(t, has(cgroups, 'devices'), 'no devices controller')) return;
  cgroups.createCgroup(path, { devices: [{ type: 'c', major: 10, minor: 237, access: 'r' }] });
  const opens = (how: string) =>
    spawnSync('sh', ['-c', `${joining(cgroups, path)} exec ${how}`]).status === 0;
  t.true(opens('3<>/dev/null'));
  t.true(opens('3</dev/zero'));
  t.true(opens('3</dev/loop-control'));
  t.false(opens('3>/dev/loop-control'), 'allowed for reading only');
  t.false(opens('3</dev/kmsg'));
});

test('all devices, when nothing is restricted', (t) => {
  const { cgroups, path } = scratchCgroup(t);
  cgroups.createCgroup(path, { devices: 'all' });
  t.is(spawnSync('sh', ['-c', `${joining(cgroups, path)} exec 3</dev/kmsg`]).status, 0);
});

test('counts what is used', async (t) => {
  const { cgroups, path } = scratchCgroup(t);
  cgroups.createCgroup(path);
  const child = spawn('sh', ['-c', `${joining(cgroups, path)} sleep 100 & sleep 100`], { stdio: 'ignore' });
  const stats = await until('three processes and their memory', () => {
    const now = cgroups.statsOf(path);
    return now.pids === 3 && now.memoryUsageBytes > 0 && now.rssBytes > 0 && now;
  });
  t.true(stats.cpuUsageNs > 0);
  t.true(stats.memoryWorkingSetBytes <= stats.memoryUsageBytes);
  t.true(stats.pageFaults > 0);
  t.is(cgroups.processes(`${path}/..`).length, 3);
  const ended = once(child, 'exit');
  await cgroups.killAll(path);
  t.deepEqual(cgroups.processes(path), []);
  t.deepEqual(await ended, [null, 'SIGKILL']);
  t.throws(() => cgroups.statsOf(`${path}/missing`), { code: 'ENOENT' });
});

test('a process that SIGKILL does not end is told by its pid', async (t) => {
  const freezer = `/sys/fs/cgroup/freezer/kk-${process.pid}-frozen`;
  if (skipUnless(t, existsSync(dirname(freezer)), 'needs the freezer of cgroup v1, which holds off SIGKILL'))
    return;
  const hierarchies = openCgroups().hierarchies.filter(({ controllers }) => controllers.includes('pids'));
  const cgroups = openCgroups({ hierarchies, endWithinMs: 20 });
  const path = `/kk-${process.pid}-held`;
  cgroups.createCgroup(path);
  t.teardown(() => openCgroups().removeCgroup(path));
  const child = spawn('sh', ['-c', `${joining(cgroups, path)} exec sleep 1000`], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await until('the process is in', () => cgroups.processes(path).length === 1);
  mkdirSync(freezer);
  writeFileSync(join(freezer, 'cgroup.procs'), String(child.pid));
  writeFileSync(join(freezer, 'freezer.state'), 'FROZEN');
  try {
    await t.throwsAsync(cgroups.removeCgroup(path), {
      message: new RegExp(`^processes that SIGKILL does not end in 20 ms: ${child.pid}; .*/proc/PID/stack`),
    });
  } finally {
    writeFileSync(join(freezer, 'freezer.state'), 'THAWED');
    await ended;
    rmdirSync(freezer);
  }
});

test('removing kills also what forks without end', async (t) => {
  const { cgroups, path } = scratchCgroup(t);
  cgroups.createCgroup(path, { pidsLimit: 60 });
  const script = `${joining(cgroups, path)} while :; do (sleep 60 & (sleep 60 & sleep 60) & ) 2>/dev/null; done`;
  const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
  await until('many processes', () => cgroups.processes(path).length > 10);
  const ended = once(child, 'exit');
  await cgroups.removeCgroup(path);
  t.false(cgroups.exists(path));
  await ended;
});

test('removes a cgroup with cgroups of threads in it, which have no list of processes', async (t) => {
  const mountPoint = scratch(t);
  mount({ type: 'cgroup2', target: mountPoint });
  const cgroups = openCgroups({ hierarchies: [{ version: 2, mountPoint, controllers: [] }] });
  const path = `/kk-${process.pid}-threads`;
  t.teardown(() => cgroups.removeCgroup(path));
  cgroups.createCgroup(path);
  const threads = join(mountPoint, path, 'threads');
  mkdirSync(threads);
  writeFileSync(join(threads, 'cgroup.type'), 'threaded');
  const child = spawn('sh', ['-c', `${joining(cgroups, path)} exec sleep 1000`], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await until('the process is in', () => cgroups.processes(path).length === 1);
  await cgroups.removeCgroup(path);
  t.false(cgroups.exists(path));
  t.deepEqual(await ended, [null, 'SIGKILL']);
});

test('the root cgroup is not removed, and no path leads out of the tree', async (t) => {
  const { cgroups } = scratchCgroup(t);
  await t.throwsAsync(cgroups.removeCgroup('/'), { message: 'the root cgroup cannot be removed' });
  await t.throwsAsync(cgroups.removeCgroup('/../..'), { message: 'the root cgroup cannot be removed' });
  t.true(cgroups.cgroupProcsFiles('../../../etc').every((file) => file.startsWith('/sys/fs/cgroup/')));
});

test('a limit of huge pages that the kernel has not got is one warning', (t) => {
  const { cgroups, path, warnings } = scratchCgroup(t);
  if (skipUnless(t, has(cgroups, 'hugetlb'), 'no hugetlb controller')) return;
  cgroups.createCgroup(path, { hugepageLimits: [{ pageSize: '3MB', limitBytes: 0 }] });
  cgroups.updateCgroup(path, { hugepageLimits: [{ pageSize: '3MB', limitBytes: 0 }] });
  t.deepEqual(warnings, ['this kernel has no huge pages of 3MB: their limit is not set']);
});
