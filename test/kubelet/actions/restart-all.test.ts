import test from 'ava';
import type { Pod } from '../../../api/types.ts';
import { until } from '../../environment.ts';
import { startBench } from '../kubelet-on-fakes.ts';
import { main, spec } from '../pod-spec.ts';

test('a container whose exit asks for it restarts the whole pod, init containers first', async (t) => {
  const bench = await startBench(t);
  const restartPolicyRules = [
    { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } },
  ];
  await bench.createPod({
    metadata: { name: 'gang' },
    spec: spec({
      restartPolicy: 'Never',
      initContainers: [main({ name: 'setup' })],
      containers: [main({ restartPolicy: 'Never', restartPolicyRules }), main({ name: 'other' })],
    }),
  });
  await until('setup runs', () => bench.cri.running('setup'));
  bench.cri.exit('setup', 0);
  const other = await until('other runs', () => bench.cri.running('other'));
  const conditionOf = ({ status }: Pod) =>
    status?.conditions?.find(({ type }) => type === 'AllContainersRestarting');
  const before = await bench.podUntil('gang', ({ status }) => status?.phase === 'Running');
  t.is(conditionOf(before)?.status, 'False');
  const [sandbox] = bench.cri.sandboxes.keys();
  const stopped = Promise.withResolvers<undefined>();
  bench.cri.intercept('StopContainer', () => stopped.promise);
  bench.cri.exit('main', 42);
  const during = await bench.podUntil('gang', (pod) => conditionOf(pod)?.status === 'True');
  t.like(conditionOf(during), {
    reason: 'RestartAllContainersStarted',
    message: 'container exited with restart policy rule',
  });
  t.is(during.status?.phase, 'Running');
  stopped.resolve(undefined);
  const setup = await until('setup runs again', () => bench.cri.running('setup'));
  t.is(bench.cri.running('main'), undefined);
  t.is(bench.cri.running('other'), undefined);
  const pending = await bench.podUntil('gang', (pod) => conditionOf(pod)?.status === 'False');
  t.is(pending.status?.phase, 'Pending');
  t.is(setup.sandboxId, sandbox ?? '');
  bench.cri.exit('setup', 0);
  await until('main runs again', () => bench.cri.running('main'));
  t.not((await until('other runs again', () => bench.cri.running('other'))).id, other.id);
  const after = await bench.podUntil('gang', ({ status }) => status?.phase === 'Running');
  const statuses = [
    ...(after.status?.initContainerStatuses ?? []),
    ...(after.status?.containerStatuses ?? []),
  ];
  t.deepEqual(
    statuses.map(({ restartCount }) => restartCount),
    [1, 1, 1],
  );
  for (const { lastState } of statuses) {
    t.deepEqual(lastState?.terminated, {
      reason: 'RestartingAllContainers',
      message: 'The container is removed because RestartAllContainers in place',
      exitCode: 137,
    });
  }
  // Who asks again at once has to wait, and the others run on meanwhile.
  bench.cri.exit('main', 42);
  const backOff = await bench.eventUntil('gang', ({ reason }) => reason === 'BackOff');
  t.regex(backOff.message ?? '', /^Back-off restarting failed container main in pod gang_default\(/);
  t.truthy(bench.cri.running('other'));
});
