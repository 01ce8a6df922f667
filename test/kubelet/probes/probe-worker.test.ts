import test from 'ava';
import { setImmediate as turn } from 'node:timers/promises';
import type { ProbeOutcome } from '../../../kubelet/probes/run-probe.ts';
import { startProbeWorker } from '../../../kubelet/probes/probe-worker.ts';
import { createFakeClock } from '../../client/fake-clock.ts';
import { podOf } from '../pod-builder.ts';

/** Liveness probes every 2 s of a container that runs: when each began, in seconds. */
function probing() {
  const clock = createFakeClock();
  const startMs = clock.now();
  const begun: number[] = [];
  let answer = (_outcome: ProbeOutcome) => {};
  const state = { running: { startedAt: new Date(startMs).toISOString() } };
  const status = { name: 'main', image: '', imageID: '', ready: false, restartCount: 0, started: true };
  const worker = startProbeWorker({
    type: 'liveness',
    container: { name: 'main' },
    spec: { periodSeconds: 2 },
    clock,
    pod: () => podOf(),
    status: () => ({ containerStatuses: [{ ...status, containerID: 'podwright://1', state }] }),
    probe: () => {
      begun.push((clock.now() - startMs) / 1000);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    report: () => {},
    setResult: () => {},
    hasResult: () => true,
    restartedBeforeMs: 0,
    onEnd: () => {},
  });
  return {
    begun,
    worker,
    answerAfter: async (seconds: number) => {
      clock.advance(seconds * 1000);
      answer({ result: 'success', output: '' });
      await turn();
    },
    pass: async (seconds: number) => {
      clock.advance(seconds * 1000);
      await turn();
    },
  };
}

test('how long a probe takes is part of its period, and of those it has missed one is made up for', async (t) => {
  const { begun, answerAfter, pass, worker } = probing();
  await turn();
  await answerAfter(1.5);
  await pass(0.5);
  t.deepEqual(begun, [0, 2]);
  await answerAfter(5.5); // the ones of 4 and 6 are missed
  await pass(0);
  t.deepEqual(begun, [0, 2, 7.5]);
  await answerAfter(0.1);
  await pass(0.4);
  t.deepEqual(begun, [0, 2, 7.5, 8]);
  worker.stop();
});

test('a trigger while a probe runs is not lost', async (t) => {
  const { begun, answerAfter, worker } = probing();
  await turn();
  worker.trigger();
  t.deepEqual(begun, [0]);
  await answerAfter(0.5);
  t.deepEqual(begun, [0, 0.5]);
  worker.stop();
});
