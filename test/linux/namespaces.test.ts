import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { run } from '../../linux/command.ts';
import {
  createNetworkNamespace,
  deleteNetworkNamespace,
  inNetworkNamespace,
  insideNetworkNamespace,
  namespaceId,
} from '../../linux/namespaces.ts';
import { expectNothingLeft } from '../environment.ts';

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
