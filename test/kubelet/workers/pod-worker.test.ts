import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { createPodWorker, effectiveGrace } from '../../../kubelet/workers/pod-worker.ts';
import type { TerminationOptions, WorkerSteps } from '../../../kubelet/workers/pod-worker.ts';
import { podOf } from '../pod-builder.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A clock that only moves when told. */
function playedClock() {
  let now = 1000;
  const timers = new Set<{ atMs: number; listener: () => void }>();
  return {
    clock: {
      now: () => now,
      after(delayMs: number, listener: () => void) {
        const timer = { atMs: now + delayMs, listener };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
    advance: (ms: number) => {
      now += ms;
      for (const timer of timers) {
        if (timer.atMs > now) continue;
        timers.delete(timer);
        timer.listener();
      }
    },
  };
}

function workerOn(steps: Partial<WorkerSteps>) {
  const { clock, advance } = playedClock();
  const pod = podOf({ terminationGracePeriodSeconds: 30 });
  const worker = createPodWorker({
    pod,
    clock,
    log: silent,
    steps: {
      syncPod: async () => ({}),
      syncTerminating: async () => {},
      syncTerminated: async () => {},
      onFinished() {},
      ...steps,
    },
  });
  return { worker, pod, advance };
}

const settle = async () => {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
};

test('updates that come during a sync are taken together', async (t) => {
  let syncs = 0;
  const gate = Promise.withResolvers<void>();
  const { worker } = workerOn({
    async syncPod() {
      syncs += 1;
      if (syncs === 1) await gate.promise;
      return {};
    },
  });
  worker.update();
  worker.update();
  worker.update();
  gate.resolve();
  await settle();
  t.is(syncs, 2);
});

test('the next try comes when it is due, and once a minute at least', async (t) => {
  let syncs = 0;
  const { worker, advance } = workerOn({
    async syncPod() {
      syncs += 1;
      return syncs === 1 ? { retryAtMs: 11_000 } : {};
    },
  });
  worker.update();
  await settle();
  advance(9999);
  await settle();
  t.is(syncs, 1);
  advance(1);
  await settle();
  t.is(syncs, 2);
  advance(60_000);
  await settle();
  t.is(syncs, 3);
});

test('a failed sync is tried again', async (t) => {
  let syncs = 0;
  const { worker, advance } = workerOn({
    async syncPod() {
      syncs += 1;
      if (syncs === 1) throw new Error('no');
      return {};
    },
  });
  worker.update();
  await settle();
  advance(1000);
  await settle();
  t.is(syncs, 2);
});

test('a deletion aborts the sync; a shorter grace period takes over; then all is freed', async (t) => {
  const seen: string[] = [];
  const terminations: TerminationOptions[] = [];
  const { worker, pod } = workerOn({
    syncPod: (_pod, signal) =>
      new Promise((_resolve, reject) => {
        seen.push('sync');
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
    syncTerminating(_pod, options) {
      terminations.push(options);
      seen.push(`terminating ${options.graceSeconds}`);
      return new Promise((resolve, reject) => {
        if (options.graceSeconds === 1) resolve();
        options.signal.addEventListener('abort', () => reject(options.signal.reason as Error));
      });
    },
    async syncTerminated() {
      seen.push('terminated');
    },
    onFinished: () => seen.push('finished'),
  });
  const deletion = (seconds: number) => ({
    ...pod,
    metadata: {
      ...pod.metadata,
      deletionTimestamp: '2026-01-01T00:00:00Z',
      deletionGracePeriodSeconds: seconds,
    },
  });
  worker.update();
  await settle();
  worker.update(deletion(30));
  await settle();
  worker.update(deletion(60));
  await settle();
  worker.update(deletion(0));
  await settle();
  t.deepEqual(seen, ['sync', 'terminating 30', 'terminating 1', 'terminated', 'finished']);
  t.is(worker.state, 'finished');
});

test('grace periods only ever get shorter', (t) => {
  const pod = podOf({ terminationGracePeriodSeconds: 30 });
  const deleted = { ...pod, metadata: { ...pod.metadata, deletionGracePeriodSeconds: 10 } };
  t.is(effectiveGrace({ pod, before: undefined, override: undefined }), 30);
  t.is(effectiveGrace({ pod: deleted, before: undefined, override: undefined }), 10);
  t.is(effectiveGrace({ pod: deleted, before: 5, override: undefined }), 5);
  t.is(effectiveGrace({ pod: deleted, before: undefined, override: 0 }), 1);
});
