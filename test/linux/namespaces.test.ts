import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { run } from '../../linux/command.ts';
import {
  createNetworkNamespace,
  deleteNetworkNamespace,
  inNetworkNamespace,
  insideNetworkNamespace,
  namespaceId,
} from '../../linux/namespaces.ts';
import { expectNothingLeft, inMountNamespace } from '../environment.ts';

test('makes a network namespace, runs commands and calls in it, and deletes it', async (t) => {
  const name = `kk-${process.pid}`;
  const path = `/run/netns/${name}`;
  const home = namespaceId('self', 'net');
  createNetworkNamespace(path);
  t.teardown(() => deleteNetworkNamespace(path));
  t.is(namespaceId('self', 'net'), home, 'this process stays where it was');
  const words = [...inNetworkNamespace(path), 'ip', '-o', 'link'];
  t.regex((await run(words[0] ?? '', words.slice(1))).stdout, /^1: lo: [^\n]*$/);
  const lines = insideNetworkNamespace(path, () =>
    readFileSync('/proc/thread-self/net/dev', 'utf8').split('\n'),
  );
  t.deepEqual(
    lines
      .slice(2)
      .filter(Boolean)
      .map((line) => line.trim().split(':')[0]),
    ['lo'],
  );
  t.throws(() => createNetworkNamespace(path), { code: 'EEXIST' });
  t.throws(
    () =>
      insideNetworkNamespace(path, () => {
        throw new Error('inside');
      }),
    { message: 'inside' },
  );
  t.is(namespaceId('self', 'net'), home);
  deleteNetworkNamespace(path);
  deleteNetworkNamespace(path);
  t.false(existsSync(path));
  await expectNothingLeft(name);
});

test('a process that is gone has no namespaces', (t) => {
  t.is(namespaceId(4194304, 'net'), undefined);
});

test('a namespace goes although `ip netns add` has made its folder a mount meanwhile', (t) => {
  const script = `const { createNetworkNamespace, deleteNetworkNamespace } = await import(${JSON.stringify(join(import.meta.dirname, '../../linux/namespaces.ts'))});
    const { execFileSync } = await import('node:child_process');
    const { readdirSync } = await import('node:fs');
    createNetworkNamespace('/run/netns/ours');
    execFileSync('ip', ['netns', 'add', 'theirs']);
    createNetworkNamespace('/run/netns/ours-too');
    for (const name of ['ours', 'ours-too']) deleteNetworkNamespace('/run/netns/' + name);
    execFileSync('ip', ['netns', 'delete', 'theirs']);
    process.stdout.write(JSON.stringify(readdirSync('/run/netns')));`;
  // On a /run of its own, where nobody has named a namespace yet.
  for (const propagation of ['private', 'shared'] as const)
    t.is(inMountNamespace(script, { propagation, first: '-t tmpfs tmpfs /run' }), '[]');
});
