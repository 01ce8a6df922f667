import { existsSync } from 'node:fs';
import test from 'ava';
import { endOfDaemon, findDaemon, startDaemon } from '../../cluster/daemons.ts';
import { down } from '../../cluster/down.ts';
import { signalProcess } from '../../linux/process.ts';
import { until } from '../environment.ts';

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
