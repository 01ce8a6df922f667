import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { clusterPaths } from '../../cluster/paths.ts';
import { parseMountInfoLine } from '../../linux/mount-info.ts';

const module = (path: string) => JSON.stringify(join(import.meta.dirname, '../..', path));

for (const root of ['shared', 'private'])
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
    // In a mount namespace of its own, which takes all of it along at its end: private, so that nothing of it comes to the host.
    const inShell = `mount --make-r${root} / && exec "$0" --disable-warning=ExperimentalWarning --input-type=module -e "$1"`;
    const namespace = ['--mount', '--propagation', 'private', '--', 'sh', '-c', inShell];
    const text = execFileSync('unshare', [...namespace, process.execPath, script], { encoding: 'utf8' });
    const mounts = text
      .split('\n')
      .filter(Boolean)
      .map(parseMountInfoLine)
      .filter(({ mountPoint }) => mountPoint === `${state}/volume`);
    t.is(mounts.length, 1);
    t.regex(mounts[0]?.optional.join(' ') ?? '', /^shared:\d+$/);
  });
