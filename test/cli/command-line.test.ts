import test from 'ava';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { skipUnless } from '../environment.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');

function podwright(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

for (const command of [
  [],
  ['up'],
  ['down'],
  ['status'],
  ['image'],
  ['image', 'load'],
  ['node', 'kill'],
  ['kubelet'],
]) {
  test(`podwright ${command.join(' ')} --help explains itself`, (t) => {
    const { status, stdout, stderr } = podwright(...command, '--help');
    t.is(status, 0, stderr);
    t.regex(stdout, /^Usage: podwright/);
  });
}

test('a wrong flag is one clear line and a non-zero exit', (t) => {
  const { status, stderr } = podwright('up', '--frobnicate');
  t.is(status, 1);
  t.regex(stderr, /^error: unknown option '--frobnicate'/);
});

test('an unknown subcommand is refused', (t) => {
  const { status, stderr } = podwright('upp');
  t.is(status, 1);
  t.regex(stderr, /unknown command 'upp'/);
});

test('a number of nodes that is none is refused with what it must be', (t) => {
  const { status, stderr } = podwright('up', '--nodes', 'many');
  t.is(status, 1);
  t.regex(stderr, /'--nodes <count>' argument 'many' is invalid. It must be a whole number from 1 to 50/);
});

test('a cluster name that would leave its folder is refused', (t) => {
  for (const name of ['../etc', 'a/b', '', 'UPPER', '-x', 'x'.repeat(40)]) {
    const { status, stderr } = podwright('kubeconfig', '--name', name);
    t.is(status, 1, name);
    t.regex(stderr, /^podwright: invalid cluster name '/);
  }
});

test('kubeconfig prints the fixed place', (t) => {
  const { status, stdout } = podwright('kubeconfig', '--name', 'blue');
  t.is(status, 0);
  t.is(stdout, '/var/lib/podwright/blue/kubeconfig\n');
});

test('what needs a cluster says when there is none', (t) => {
  const kubectl = podwright('kubectl', '--name', 'no-such-cluster', 'get', 'pods');
  t.is(kubectl.status, 1);
  t.is(
    kubectl.stderr,
    "podwright: kubectl: there is no cluster 'no-such-cluster'; start it with 'podwright up --name no-such-cluster'\n",
  );
  const node = podwright('node', 'start', 'node-1', '--name', 'no-such-cluster');
  t.is(node.status, 1);
  t.is(node.stderr, "podwright: there is no cluster 'no-such-cluster'\n");
  const status = podwright('status', '--name', 'no-such-cluster');
  t.is(status.status, 1);
  t.is(status.stdout, 'there is no cluster no-such-cluster\n');
  const down = podwright('down', '--name', 'no-such-cluster');
  t.is(down.status, 0, down.stderr);
  t.is(down.stdout, 'there is no cluster no-such-cluster\n');
});

test('without root the command says so', (t) => {
  const nobody = { uid: 65534, gid: 65534 };
  const reads = spawnSync('test', ['-r', MAIN, '-a', '-x', process.execPath], nobody).status === 0;
  if (skipUnless(t, reads, 'this checkout is in a folder that is closed to others')) return;
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'up'], {
    encoding: 'utf8',
    ...nobody,
  });
  t.is(status, 1);
  t.is(stderr, 'podwright: podwright up: must run as root, and no sudo was found\n');
});
