import test from 'ava';
import type { Pod, PodSpec } from '../../../api/types.ts';
import { patience, until } from '../../environment.ts';
import { startBench } from '../kubelet-on-fakes.ts';
import type { Bench } from '../kubelet-on-fakes.ts';
import { main, spec } from '../pod-spec.ts';

const restartPolicyRules = [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }];

/** A Pod whose main container restarts all when it ends with 42, with all of it running. */
async function startGang(bench: Bench, more: Partial<PodSpec> = {}) {
  await bench.createPod({
    metadata: { name: 'gang' },
    spec: spec({
      restartPolicy: 'Never',
      initContainers: [main({ name: 'setup' })],
      containers: [main({ restartPolicy: 'Never', restartPolicyRules }), main({ name: 'other' })],
      ...more,
    }),
  });
  return startAgain(bench);
}

async function startAgain({ cri }: Bench) {
  await until('setup runs', () => cri.running('setup'));
  cri.exit('setup', 0);
  await until('main runs', () => cri.running('main'));
  return until('other runs', () => cri.running('other'));
}

const restartCounts = ({ status }: Pod): number[] =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(
    ({ restartCount }) => restartCount,
  );

test('a container whose exit asks for it restarts the whole pod, init containers first', async (t) => {
  const bench = await startBench(t);
  const other = await startGang(bench);
  const conditionOf = ({ status }: Pod, wanted = 'AllContainersRestarting') =>
    status?.conditions?.find(({ type }) => type === wanted);
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
  t.is(conditionOf(pending, 'Initialized')?.status, 'True');
  t.is(setup.sandboxId, sandbox ?? '');
  bench.cri.exit('setup', 0);
  await until('main runs again', () => bench.cri.running('main'));
  t.not((await until('other runs again', () => bench.cri.running('other'))).id, other.id);
  const after = await bench.podUntil('gang', ({ status }) => status?.phase === 'Running');
  const statuses = [
    ...(after.status?.initContainerStatuses ?? []),
    ...(after.status?.containerStatuses ?? []),
  ];
  t.deepEqual(restartCounts(after), [1, 1, 1]);
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

test('a restart of all that fails half way goes on at once and counts once', async (t) => {
  const bench = await startBench(t);
  await startGang(bench);
  const trigger = bench.cri.running('main')?.id;
  let failed = false;
  bench.cri.intercept('RemoveContainer', ({ containerId }) => {
    if (failed || containerId !== trigger) return undefined;
    failed = true;
    throw new Error('the disk is slow');
  });
  bench.cri.exit('main', 42);
  await startAgain(bench);
  t.true(failed);
  const after = await bench.podUntil('gang', ({ status }) => status?.phase === 'Running');
  t.deepEqual(restartCounts(after), [1, 1, 1]);
  t.deepEqual(
    (await bench.eventsOf('gang')).filter(({ reason }) => reason === 'BackOff'),
    [],
  );
});

test('a deadline holds also while a restart of all waits', async (t) => {
  const bench = await startBench(t);
  await startGang(bench, { activeDeadlineSeconds: 4 * patience });
  bench.cri.exit('main', 42);
  await startAgain(bench);
  bench.cri.exit('main', 42);
  await bench.eventUntil('gang', ({ reason }) => reason === 'BackOff');
  const { status } = await bench.podUntil('gang', (pod) => pod.status?.phase === 'Failed');
  t.is(status?.reason, 'DeadlineExceeded');
});
