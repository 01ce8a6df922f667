import test from 'ava';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dir } from 'tmp-promise';
import { clusterPaths } from '../../cluster/paths.ts';
import { isRoot, skipUnless } from '../environment.ts';
import { makeLayout } from '../runtime/images/make-layout.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
const NAME = `images-${process.pid}`;

test('an image that goes tells each of its names, for all of them go', async (t) => {
  if (skipUnless(t, isRoot(), 'needs root')) return;
  const { state } = clusterPaths(NAME);
  mkdirSync(state, { recursive: true });
  t.teardown(() => rmSync(state, { recursive: true }));
  const { path } = await dir({ unsafeCleanup: true });
  t.teardown(() => rmSync(path, { recursive: true }));
  for (const name of ['example.test/one:1', 'example.test/two:2']) {
    const layout = join(path, name.replaceAll('/', '-'));
    makeLayout(layout, { name, entries: [{ name: 'file', text: 'text' }] });
    t.is(image('load', layout), `loaded ${name}\n`);
  }
  t.is(image('rm', 'example.test/two:2'), 'removed example.test/one:1\nremoved example.test/two:2\n');
  t.notRegex(image('ls'), /example\.test/);
});

function image(...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [MAIN, 'image', ...args, '--name', NAME], {
    encoding: 'utf8',
  });
  return stdout + stderr;
}
