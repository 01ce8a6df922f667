import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { openCgroups, weightOfShares, type Cgroups } from '../../cgroups/index.ts';
import { detectHierarchies } from '../../cgroups/hierarchy.ts';
import { parseMountInfoLine } from '../../linux/mount-info.ts';
import { scratch } from '../linux/scratch.ts';

/** What the v2 writer writes, on files that stand in for the kernel's: a directory where each cgroup has them from the start. */
function unifiedOnFiles(
  root: string,
  paths: string[],
): { cgroups: Cgroups; read: (path: string, file: string) => string } {
  const files = {
    'cgroup.controllers': 'cpuset cpu io memory hugetlb pids',
    'cgroup.subtree_control': 'memory',
    'cpu.max': 'max 100000',
    'memory.swap.max': 'max',
    'hugetlb.2MB.max': 'max',
  };
  for (const path of ['', ...paths]) {
    mkdirSync(join(root, path), { recursive: true });
    for (const [file, value] of Object.entries(files)) writeFileSync(join(root, path, file), value);
  }
  const controllers = ['cpu', 'cpuset', 'memory', 'pids', 'hugetlb'];
  const cgroups = openCgroups({ hierarchies: [{ version: 2, mountPoint: root, controllers }] });
  return { cgroups, read: (path, file) => readFileSync(join(root, path, file), 'utf8') };
}

test('writes v2 values', (t) => {
  const { cgroups, read } = unifiedOnFiles(scratch(t), ['/a']);
  cgroups.updateCgroup('/a', {
    cpuShares: 512,
    cpuQuotaUs: 20_000,
    memoryLimitBytes: 1 << 20,
    memorySwapLimitBytes: 3 << 20,
    pidsLimit: 10,
    cpusetCpus: '0-1',
    hugepageLimits: [{ pageSize: '2MB', limitBytes: 0 }],
    unified: { 'memory.oom.group': '1' },
  });
  const written = [
    'cpu.weight',
    'cpu.max',
    'memory.max',
    'memory.swap.max',
    'pids.max',
    'cpuset.cpus',
    'hugetlb.2MB.max',
    'memory.oom.group',
  ];
  t.deepEqual(
    written.map((file) => read('/a', file)),
    ['59', '20000 100000', '1048576', '2097152', '10', '0-1', '0', '1'],
  );
  cgroups.updateCgroup('/a', {
    cpuQuotaUs: -1,
    cpuPeriodUs: 50_000,
    memoryLimitBytes: -1,
    memorySwapLimitBytes: -1,
    pidsLimit: 0,
  });
  t.deepEqual(
    written.slice(1, 5).map((file) => read('/a', file)),
    ['max 50000', 'max', 'max', 'max'],
  );
});

test('hands the missing controllers on from the root down to the parent, not to the cgroup itself', (t) => {
  const { cgroups, read } = unifiedOnFiles(scratch(t), ['/podwright', '/podwright/c1', '/podwright/c1/leaf']);
  cgroups.createCgroup('/podwright/c1/leaf');
  for (const path of ['/', '/podwright', '/podwright/c1']) {
    t.is(read(path, 'cgroup.subtree_control'), '+cpu +cpuset +pids +hugetlb', path);
  }
  t.is(read('/podwright/c1/leaf', 'cgroup.subtree_control'), 'memory', 'processes live here');
});

test('a file of the unified map cannot lead elsewhere', (t) => {
  const root = scratch(t);
  const { cgroups } = unifiedOnFiles(root, ['/a']);
  t.throws(() => cgroups.updateCgroup('/a', { unified: { '../escaped': '1' } }), {
    message: /not a file of a cgroup/,
  });
  t.false(existsSync(join(root, 'escaped')));
});

test('says once that a controller is missing', (t) => {
  const warnings: string[] = [];
  const root = scratch(t);
  const cgroups = openCgroups({
    hierarchies: [{ version: 2, mountPoint: root, controllers: ['cpu'] }],
    onWarning: (message) => warnings.push(message),
  });
  mkdirSync(join(root, 'a'));
  for (let times = 0; times < 2; times++) cgroups.updateCgroup('/a', { memoryLimitBytes: 5, pidsLimit: 5 });
  t.deepEqual(warnings, [
    'this host has no cgroup controller "memory": memoryLimitBytes not enforced',
    'this host has no cgroup controller "pids": pidsLimit not enforced',
  ]);
  t.like(cgroups.statsOf('/a'), { memoryUsageBytes: 0, pids: 0 });
  t.is(cgroups.oomFile('/a'), undefined);
});

test('reads v2 statistics', (t) => {
  const root = scratch(t);
  mkdirSync(join(root, 'a'));
  const files = {
    'memory.current': '1000\n',
    'memory.max': 'max\n',
    'memory.stat': 'anon 300\nfile 500\ninactive_file 400\npgfault 7\npgmajfault 2\n',
    'cpu.stat': 'usage_usec 1234\nuser_usec 1000\n',
    'pids.current': '5\n',
  };
  for (const [file, value] of Object.entries(files)) writeFileSync(join(root, 'a', file), value);
  const controllers = ['cpu', 'cpuacct', 'memory', 'pids'];
  const cgroups = openCgroups({ hierarchies: [{ version: 2, mountPoint: root, controllers }] });
  t.deepEqual(cgroups.statsOf('/a'), {
    memoryUsageBytes: 1000,
    memoryWorkingSetBytes: 600,
    rssBytes: 300,
    pageFaults: 7,
    majorPageFaults: 2,
    swapUsageBytes: 0,
    memoryLimitBytes: undefined,
    cpuUsageNs: 1234000,
    pids: 5,
  });
  t.is(cgroups.oomFile('/a'), join(root, 'a', 'memory.events'));
  t.deepEqual(cgroups.directoriesFor('/a'), { [join('..', '..', '..', root)]: join(root, 'a') });
});

test('v1, v2 and hybrid hosts are told apart by what is mounted, controller by controller', (t) => {
  const line = (mountPoint: string, type: string, options: string) =>
    parseMountInfoLine(`30 20 0:30 / ${mountPoint} rw - ${type} ${type} ${options}`);
  const root = scratch(t);
  mkdirSync(join(root, 'unified'));
  writeFileSync(join(root, 'unified/cgroup.controllers'), 'hugetlb misc\n');
  const mounts = [
    line(join(root, 'unified'), 'cgroup2', 'rw'),
    line(join(root, 'cpu,cpuacct'), 'cgroup', 'rw,cpu,cpuacct'),
    line(join(root, 'memory'), 'cgroup', 'rw,memory'),
    line(join(root, 'net_cls'), 'cgroup', 'rw,net_cls'),
    line(join(root, 'systemd'), 'cgroup', 'rw,xattr,name=systemd'),
    line('/elsewhere/memory', 'cgroup', 'rw,memory'),
  ];
  t.deepEqual(
    detectHierarchies(root, mounts).map(({ version, controllers }) => [version, ...controllers]),
    [
      [1, 'cpu', 'cpuacct'],
      [1, 'memory'],
      [2, 'hugetlb', 'cpuacct', 'devices', 'freezer'],
    ],
  );
});

test('shares become a weight, the defaults meet, the ends too', (t) => {
  const pairs: [number, number][] = [
    [0, 1],
    [2, 1],
    [3, 2],
    [102, 17],
    [512, 59],
    [1024, 100],
    [2048, 174],
    [262143, 10000],
    [262144, 10000],
    [999999, 10000],
  ];
  for (const [shares, weight] of pairs) t.is(weightOfShares(shares), weight, String(shares));
});
