import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';

const root = mkdtempSync(join(tmpdir(), 'sp-'));

/** The script beside programs that only print who they are and what they are given. */
test.before(() => {
  const program = (path: string, line: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  };
  program('bin/sudo', 'echo sudo');
  program('bin/id', 'echo 1000');
  program('scripts/setup', ':');
  const afterFlags = 'while [ "${1#--}" != "$1" ]; do shift; done';
  program('node_modules/node/bin/node', `${afterFlags}; shift; echo node "$@"`);
  copyFileSync(join(import.meta.dirname, '../../scripts/podwright'), join(root, 'scripts/podwright'));
  chmodSync(root, 0o755);
});
test.after.always(() => rmSync(root, { recursive: true, force: true }));

function podwright(args: string[]): string {
  const env = { PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}` };
  return spawnSync(join(root, 'scripts/podwright'), args, { encoding: 'utf8', env }).stdout.trim();
}

for (const args of [
  ['up'],
  ['kubectl', 'exec', 'web', '--', 'df', '-h'],
  ['kubectl', '--name', 'blue', 'get', '--help'],
  ['image', 'load', '--', '-h'],
])
  test(`podwright ${args.join(' ')} becomes root`, (t) => t.is(podwright(args), 'sudo'));

for (const args of [[], ['up', '--help'], ['-h'], ['image', 'load', '-h'], ['help', 'up'], ['kubeconfig']])
  test(`podwright ${args.join(' ')} needs no root`, (t) =>
    t.is(podwright(args), ['node', ...args].join(' ')));
