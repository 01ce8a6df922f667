import test from 'ava';
import type { ContainerStatus } from '../../../api/types.ts';
import type { KubeletPod } from '../../../kubelet/pod.ts';
import { containerStatuses } from '../../../kubelet/status/container-statuses.ts';
import { createStartFailures } from '../../../kubelet/status/start-failures.ts';
import { podOf, runtimeOf } from '../pod-builder.ts';
import type { Shown } from '../pod-builder.ts';

const statusOf = (pod: KubeletPod, shown: Shown, previous: ContainerStatus[] = []) =>
  containerStatuses({
    pod,
    runtime: runtimeOf(pod, { main: shown }),
    containers: pod.spec.containers,
    isInit: false,
    previous,
    isRestartingAll: false,
    failures: createStartFailures(),
    runtimeName: 'podwright',
    terminationMessage: () => '',
  });

test('the end of a container is told once, also when it waited for its next start', (t) => {
  const pod = podOf();
  const [ended] = statusOf(pod, 3);
  const waiting = {
    ...ended,
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: ended?.state,
  } as ContainerStatus;
  const [over] = statusOf(pod, 3, [waiting]);
  t.is(over?.state?.terminated?.exitCode, 3);
  t.deepEqual(over?.lastState, {});
  const other = { ...ended?.state?.terminated, containerID: 'podwright://before', exitCode: 1 };
  const [again] = statusOf(pod, 3, [{ ...waiting, lastState: { terminated: other } }]);
  t.is(again?.lastState?.terminated?.exitCode, 1);
});

test('a running container has the resources that it was started with', (t) => {
  const podWith = (cpu: string) =>
    podOf({ containers: [{ name: 'main', resources: { requests: { cpu }, limits: { cpu } } }] });
  const started = statusOf(podWith('1'), 'running');
  t.deepEqual(started[0]?.resources, { requests: { cpu: '1' }, limits: { cpu: '1' } });
  t.like(statusOf(podWith('2'), 'running', started)[0], {
    resources: { requests: { cpu: '1' }, limits: { cpu: '1' } },
    allocatedResources: { cpu: '1' },
  });
  const replaced = started.map((status) => ({ ...status, containerID: 'podwright://before' }));
  t.deepEqual(statusOf(podWith('2'), 'running', replaced)[0]?.allocatedResources, { cpu: '2' });
});
