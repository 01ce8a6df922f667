import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'ava';
import { MAIN } from '../../cluster/belonging.ts';
import { until } from '../environment.ts';

const lock = JSON.stringify(join(import.meta.dirname, '../../network/network-lock.ts'));

/** Holds the lock of a host's network that nobody else is on, and says so. */
const holder = `const { withNetworkLock } = await import(${lock});
  await withNetworkLock(() => new Promise(() => process.stdout.write('held\\n') && setInterval(() => {}, 1000)));`;

test('up that waits for the network says for whom, and ends with 130 at Ctrl-C', async (t) => {
  const commands = [
    'mount -t tmpfs state /var/lib && mount -t tmpfs run /run',
    '"$0" --disable-warning=ExperimentalWarning --input-type=module -e "$1" >/run/held &',
    'holder=$!; until grep -q held /run/held; do sleep 0.05; done; echo "holder $holder" >&2',
    '"$0" --disable-warning=ExperimentalWarning "$2" up --name interrupted &',
    'up=$!; echo "up $up" >&2; wait $up; code=$?',
    'kill $holder; exit $code',
  ];
  const namespaces = ['--net', '--mount', '--propagation', 'private', '--'];
  const shell = ['bash', '-c', commands.join('\n'), process.execPath, holder, MAIN];
  const child = spawn('unshare', [...namespaces, ...shell], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close'); // by then all of stderr is here
  t.teardown(() => {
    if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
  });
  const [, waited = ''] = await until('it says for whom it waits', () =>
    /waiting for the right to change the host's network, which pid (\d+) \(/.exec(stderr),
  );
  t.regex(stderr, new RegExp(`^holder ${waited}$`, 'm'));
  process.kill(Number(/^up (\d+)$/m.exec(stderr)?.[1]), 'SIGINT');
  const [code] = (await ended) as [number];
  t.is(code, 130, stderr);
  t.regex(stderr, /up was interrupted; 'podwright up --name interrupted' goes on/);
});
