import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { invalid } from '../../../api/status.ts';
import type { Client } from '../../../client/rest.ts';
import { createStatusManager } from '../../../kubelet/status/status-manager.ts';
import { createFakeClock } from '../../client/fake-clock.ts';
import { podOf } from '../pod-builder.ts';

/** A status manager whose writes all fail with this; `tries` tells when they were tried, in seconds. */
const start = (failure: Error) => {
  const clock = createFakeClock();
  const startMs = clock.now();
  const tries: number[] = [];
  const patch = () => {
    tries.push((clock.now() - startMs) / 1000);
    return Promise.reject(failure);
  };
  const pod = podOf();
  const statuses = createStatusManager({
    client: { resource: () => ({ patch }) } as unknown as Client,
    clock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    apiPod: () => pod,
    couldHaveRunningContainers: () => false,
  });
  const set = async (message: string) => {
    statuses.set(pod, { phase: 'Running', message });
    await turn();
  };
  const advance = async (seconds: number) => {
    for (let half = 0; half < seconds * 2; half += 1) {
      clock.advance(500);
      await turn();
    }
  };
  return { tries, set, advance };
};

test('a status that is refused is tried ever more seldom, and at once when it has changed', async (t) => {
  const { tries, set, advance } = start(invalid({ group: '', kind: 'Pod' }, 'web', []));
  await set('one');
  await advance(40);
  t.deepEqual(tries, [0, 0.5, 1.5, 3.5, 7.5, 15.5, 25.5, 35.5]);
  await set('one');
  t.is(tries.length, 8);
  await set('two');
  t.is(tries[8], 40);
});

test('a server that can’t be reached is asked twice a second', async (t) => {
  const { tries, set, advance } = start(new Error('connection refused'));
  await set('one');
  await advance(40);
  t.is(tries.length, 81);
});
