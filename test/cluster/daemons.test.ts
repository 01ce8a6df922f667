import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { MAIN } from '../../cluster/belonging.ts';
import { endOfDaemon, findDaemon, startDaemon } from '../../cluster/daemons.ts';
import { down } from '../../cluster/down.ts';
import { signalProcess } from '../../linux/process.ts';
import { until } from '../environment.ts';
import { beginUp } from './begin-up.ts';

const cluster = 'test-daemons';
test.after.always(() => down(cluster));

test('a daemon that ends at once has ended in a way that is told', async (t) => {
  const command = ['control-plane', '--name', 'test-of-no-cluster'];
  startDaemon({ cluster, name: 'refused', command });
  await until('its end', () => findDaemon(cluster, 'refused') === undefined);
  t.is(await endOfDaemon(cluster, 'refused'), 'exit code 1');

  const killed = startDaemon({ cluster, name: 'killed', command });
  t.true(signalProcess(killed, 'SIGKILL'));
  await until('its end', () => findDaemon(cluster, 'killed') === undefined);
  t.is(await endOfDaemon(cluster, 'killed'), 'SIGKILL');

  t.is(await endOfDaemon(cluster, 'of another process'), 'nobody saw how');
  t.true(existsSync(`/var/lib/podwright/${cluster}/logs/refused.log`));
});

test('a daemon whose starter was killed before it could tell is found, and never started twice', async (t) => {
  const name = `${cluster}-orphan`;
  t.teardown(() => down(name));
  await beginUp(name);
  const command = ['scheduler', '--name', name];
  const words = [...process.execArgv, MAIN, ...command];
  const begin = () => spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const first = begin();
  const found = await until('its pid file', () => findDaemon(name, 'scheduler'));
  t.is(found.pid, first.pid ?? 0);
  t.deepEqual(startDaemon({ cluster: name, name: 'scheduler', command }), found);

  const second = begin();
  const [[exitCode], said] = await Promise.all([once(second, 'exit'), text(second.stderr)]);
  t.is(exitCode, 1);
  t.is(said, `podwright: scheduler of cluster '${name}' runs already, pid ${first.pid}\n`);
  t.deepEqual(findDaemon(name, 'scheduler'), found);
  await down(name);
  t.is(findDaemon(name, 'scheduler'), undefined);
});
