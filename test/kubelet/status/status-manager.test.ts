import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { invalid, notFound } from '../../../api/status.ts';
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

test('the status of a static Pod goes to the next mirror when one was deleted under it', async (t) => {
  const { pod, mirror } = staticPod();
  const shown = { mirror: mirror('first') };
  const written: string[] = [];
  const answers: PromiseWithResolvers<never>[] = [];
  const patch = ({ patch: { metadata } }: { patch: { metadata: { uid: string } } }) => {
    written.push(metadata.uid);
    const answer = Promise.withResolvers<never>();
    answers.push(answer);
    return answer.promise;
  };
  const statuses = createStatusManager({
    client: { resource: () => ({ patch }) } as unknown as Client,
    clock: createFakeClock(),
    log: { debug() {}, info() {}, warn() {}, error() {} },
    apiPod: () => shown.mirror,
    couldHaveRunningContainers: () => true,
  });
  const deleteUnder = async () => {
    answers.shift()?.reject(notFound({ group: '', resource: 'pods' }, 'web'));
    await turn();
  };
  statuses.set(pod, { phase: 'Running', message: 'one' });
  await deleteUnder();
  t.is(statuses.get('uid-1')?.message, 'one');
  shown.mirror = mirror('second');
  statuses.observe('uid-1');
  t.deepEqual(written, ['first', 'second']);
  // Now the watch tells of the next one before the write to this one has failed.
  shown.mirror = mirror('third');
  statuses.observe('uid-1');
  await deleteUnder();
  t.deepEqual(written, ['first', 'second', 'third']);
});

function staticPod() {
  const pod = podOf();
  pod.metadata.annotations = { 'kubernetes.io/config.source': 'file' };
  const mirror = (uid: string) => {
    const annotations = { ...pod.metadata.annotations, 'kubernetes.io/config.mirror': 'x' };
    return { ...pod, metadata: { ...pod.metadata, annotations, uid } };
  };
  return { pod, mirror };
}
