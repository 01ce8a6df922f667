import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readClusterFile } from '../../cluster/cluster-file.ts';
import { down, startCluster } from '../../cluster/index.ts';
import { clusterPaths } from '../../cluster/paths.ts';
import { lockCluster } from '../../cluster/lock.ts';
import { expectNothingLeft, inMountNamespace } from '../environment.ts';
import { beginUp } from './begin-up.ts';

const nameOf = (what: string): string => `sc-${process.pid}-${what}`;
const module = (path: string): string => JSON.stringify(join(import.meta.dirname, '../..', path));

test('startCluster leaves a cluster that it is refused by alone', async (t) => {
  const name = nameOf('refused');
  t.teardown(() => down(name));
  await beginUp(name);
  await t.throwsAsync(startCluster({ name, nodes: 3 }), {
    message: `--nodes 3: cluster '${name}' has 1 node(s); take it down first to change that`,
  });
  t.is(readClusterFile(name)?.nodes.length, 1);
});

test('startCluster that another one keeps out takes nothing down', async (t) => {
  const name = nameOf('locked');
  const { run } = clusterPaths(name);
  await using _lock = await lockCluster(name);
  mkdirSync(run, { recursive: true });
  t.teardown(() => rmSync(run, { recursive: true, force: true }));
  await t.throwsAsync(startCluster({ name }), {
    message: new RegExp(`at work on it, pid ${process.pid} \\(.*\\); wait`),
  });
  t.true(existsSync(run));
});

test('startCluster that fails takes down what it has begun, and throws why it failed', async (t) => {
  const name = nameOf('begun');
  await t.throwsAsync(startCluster({ name, diskPool: '/no/such/pool' }), {
    message: '--disk-pool /no/such/pool: there is no such folder; make it first',
  });
  const { state, run } = clusterPaths(name);
  t.deepEqual([existsSync(state), existsSync(run)], [false, false]);
  await expectNothingLeft(name);
});

test('startCluster that fails while the busybox image is made waits for that, and leaves nothing', (t) => {
  const name = nameOf('busybox');
  // A host with no free network fails after the image has been begun.
  const script = `const { enterFreshHost, shell } = await import(${module('test/network/host-network.ts')});
    const { startCluster } = await import(${module('cluster/index.ts')});
    const { existsSync, mkdirSync, writeFileSync } = await import('node:fs');
    // The image's files are brought to the disk last; this tells that they were there until then.
    mkdirSync('/var/lib/bin');
    writeFileSync('/var/lib/bin/sync', '#!/bin/sh\\n/bin/sync "$@" && touch /var/lib/synced', { mode: 0o755 });
    process.env.PATH = '/var/lib/bin:' + process.env.PATH;
    enterFreshHost();
    shell('ip route add unreachable 10.128.0.0/9');
    const why = await startCluster({ name: '${name}' }).catch(({ message }) => message);
    const isMade = existsSync('/var/lib/synced');
    // This process ends by itself, and so not before what nobody has waited for.
    process.once('exit', () => {
      process.stdout.write(JSON.stringify([why, isMade, existsSync('${clusterPaths(name).state}')]));
    });`;
  const answer = inMountNamespace(script, { propagation: 'private', first: '-t tmpfs state /var/lib' });
  t.deepEqual(JSON.parse(answer), [
    'no free /16 between 10.128.0.0 and 10.244.255.255: the routes of this host cover them all',
    true,
    false,
  ]);
});

test('a new cluster leaves the network of one that is not up at the moment to it', (t) => {
  const script = `const { enterFreshHost, shell } = await import(${module('test/network/host-network.ts')});
    const { decide } = await import(${module('cluster/decide.ts')});
    const { prepareStateDir } = await import(${module('cluster/state-dir.ts')});
    const { removeClusterNetwork } = await import(${module('network/cluster-network.ts')});
    shell('mount -t tmpfs run /run');
    enterFreshHost();
    const begin = async (name) => {
      prepareStateDir(name);
      const { cidr } = await decide({ name, zones: [], port: 6443 });
      await removeClusterNetwork({ cluster: name }); // as a reboot does
      return cidr;
    };
    process.stdout.write(JSON.stringify([await begin('first'), await begin('second')]));`;
  const answer = inMountNamespace(script, { propagation: 'private', first: '-t tmpfs state /var/lib' });
  t.deepEqual(JSON.parse(answer), ['10.244.0.0/16', '10.243.0.0/16']);
});
