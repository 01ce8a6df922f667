import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { ContainerState } from '../../../api/types.ts';
import { systemClock } from '../../../client/clock.ts';
import type { CriClient } from '../../../kubelet/cri/cri-client.ts';
import type { PodEvents } from '../../../kubelet/pod-events.ts';
import { createProbeManager } from '../../../kubelet/probes/probe-manager.ts';
import { podOf } from '../pod-builder.ts';

const exec = { command: ['true'] };

/** What the probes of a container in this state have to say, by the number of times that they wake the Pod. */
async function wakesOf(state: ContainerState, restartPolicy: string): Promise<number> {
  const pod = podOf({
    restartPolicy,
    containers: [{ name: 'main', readinessProbe: { exec }, livenessProbe: { exec } }],
  });
  const status = { name: 'main', image: '', imageID: '', ready: false, restartCount: 0 };
  let wakes = 0;
  const probes = createProbeManager({
    cri: { call: () => Promise.reject(new Error('not asked')) } as unknown as CriClient,
    events: {} as PodEvents,
    clock: systemClock,
    startedAtMs: Date.now(),
    podOf: () => pod,
    statusOf: () => ({ containerStatuses: [{ ...status, containerID: 'podwright://1', state }] }),
    onChange: () => (wakes += 1),
  });
  for (let sync = 0; sync < 5; sync++) {
    probes.addPod(pod);
    await turn();
  }
  probes.stop();
  return wakes;
}

test('a container that has ended for good is not probed, and its Pod not woken for it', async (t) => {
  t.is(await wakesOf({ terminated: { exitCode: 0 } }, 'Never'), 0);
  t.is(await wakesOf({ terminated: { exitCode: 0 } }, 'OnFailure'), 0);
  t.true((await wakesOf({ terminated: { exitCode: 1 } }, 'OnFailure')) > 0);
});
