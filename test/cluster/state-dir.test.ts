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
