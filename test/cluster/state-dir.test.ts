import { rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { clusterPaths } from '../../cluster/paths.ts';
import { parseMountInfoLine } from '../../linux/mount-info.ts';
import { inMountNamespace } from '../environment.ts';

const module = (path: string) => JSON.stringify(join(import.meta.dirname, '../..', path));

for (const root of ['shared', 'private'] as const)
  test(`a mount below the state folder is there once, and shared, where the root is ${root}`, (t) => {
    const name = `sd-${process.pid}-${root}`;
    const { state, run } = clusterPaths(name);
    t.teardown(() => {
      for (const folder of [state, run]) rmSync(folder, { recursive: true, force: true });
    });
    const script = `const { prepareStateDir } = await import(${module('cluster/state-dir.ts')});
      const { mount } = await import(${module('linux/mount.ts')});
      const { mkdirSync, readFileSync } = await import('node:fs');
      prepareStateDir('${name}');
      mkdirSync('${state}/volume');
      mount({ type: 'tmpfs', target: '${state}/volume' });
      process.stdout.write(readFileSync('/proc/self/mountinfo', 'utf8'));`;
    const text = inMountNamespace(script, { propagation: root });
    const mounts = text
      .split('\n')
      .filter(Boolean)
      .map(parseMountInfoLine)
      .filter(({ mountPoint }) => mountPoint === `${state}/volume`);
    t.is(mounts.length, 1);
    t.regex(mounts[0]?.optional.join(' ') ?? '', /^shared:\d+$/);
  });

for (const root of ['shared', 'private'] as const)
  test(`disks of the user on the state folder and in it are seen, and outlive the cluster, where the root is ${root}`, (t) => {
    const name = `sd-${process.pid}-disks-${root}`;
    const { state, run } = clusterPaths(name);
    t.teardown(() => rmSync(run, { recursive: true, force: true }));
    // As after a reboot: the links and the disks are there, our own mount is not.
    const script = `const { prepareStateDir } = await import(${module('cluster/state-dir.ts')});
      const { prepareDiskPool } = await import(${module('cluster/disk-pool.ts')});
      const { down } = await import(${module('cluster/index.ts')});
      const { bindMount, mount } = await import(${module('linux/mount.ts')});
      const { mountsBelow } = await import(${module('linux/mount-info.ts')});
      const { mkdirSync, readdirSync, symlinkSync, writeFileSync } = await import('node:fs');
      const places = () => mountsBelow('/var/lib/disk').map(({ mountPoint }) => mountPoint.slice(13)).sort();
      for (const folder of ['podwright', 'disk', 'user']) mkdirSync('/var/lib/' + folder);
      symlinkSync('/var/lib/disk', '${state}');
      mount({ type: 'tmpfs', target: '/var/lib/disk' });
      writeFileSync('/var/lib/disk/.podwright-cluster', '${name}\\n');
      mkdirSync('/var/lib/disk/cloud');
      mkdirSync('/var/lib/disk/nodes');
      mount({ type: 'tmpfs', target: '/var/lib/disk/cloud' });
      writeFileSync('/var/lib/disk/cloud/vol-1', '');
      writeFileSync('/var/lib/user/file', '');
      bindMount({ source: '/var/lib/user', target: '/var/lib/disk/nodes' });
      prepareStateDir('${name}');
      prepareDiskPool('${name}');
      const seen = [...readdirSync('/var/lib/disk/cloud'), ...readdirSync('/var/lib/disk/nodes')];
      mkdirSync('/var/lib/disk/cloud/volume');
      mount({ type: 'tmpfs', target: '/var/lib/disk/cloud/volume' });
      const volume = mountsBelow('/var/lib/disk/cloud/volume').map(({ optional }) => optional.length);
      await down('${name}');
      const left = ['disk', 'user'].map((folder) => readdirSync('/var/lib/' + folder));
      process.stdout.write(JSON.stringify({ seen, volume, left, places: places() }));`;
    const answer = inMountNamespace(script, { propagation: root, first: '-t tmpfs state /var/lib' });
    t.deepEqual(JSON.parse(answer), {
      seen: ['vol-1', 'file'],
      volume: [1],
      left: [[], ['file']],
      places: [''],
    });
  });

test('the folders above a kubeconfig let its owner through, whatever the umask', (t) => {
  const name = `sd-${process.pid}-umask`;
  const { state, run } = clusterPaths(name);
  t.teardown(() => rmSync(run, { recursive: true, force: true }));
  const script = `const { prepareStateDir } = await import(${module('cluster/state-dir.ts')});
    const { statSync } = await import('node:fs');
    process.umask(0o077);
    prepareStateDir('${name}');
    const modes = ['/var/lib/podwright', '${state}'].map((path) => statSync(path).mode & 0o777);
    process.stdout.write(modes.map((mode) => mode.toString(8)).join(' '));`;
  t.is(inMountNamespace(script, { propagation: 'private', first: '-t tmpfs state /var/lib' }), '755 711');
});
