import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { CoreV1Event, Pod } from '../../api/types.ts';
import { systemClock } from '../../client/clock.ts';
import type { Clock } from '../../client/clock.ts';
import { pods, runtimeClasses } from '../../client/resources.ts';
import { patience, until } from '../environment.ts';
import { FakeCriError } from './fake-cri.ts';
import { startBench } from './kubelet-on-fakes.ts';
import { main, spec } from './pod-spec.ts';

test('a pod runs, and is gone after its deletion', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({ metadata: { name: 'web' }, spec: spec() });
  const pod = await bench.podUntil('web', ({ status }) => status?.phase === 'Running');
  t.is(pod.status?.containerStatuses?.[0]?.ready, true);
  t.is(pod.status?.qosClass, 'BestEffort');
  const conditions = Object.fromEntries(
    (pod.status?.conditions ?? []).map(({ type, status }) => [type, status]),
  );
  t.deepEqual(conditions, {
    PodReadyToStartContainers: 'True',
    Initialized: 'True',
    Ready: 'True',
    ContainersReady: 'True',
    PodScheduled: 'True',
  });
  await bench.client.resource(pods).delete({ name: 'web', namespace: 'default' });
  await bench.gone('web');
  t.is(bench.cri.containers.size, 0);
  t.is(bench.cri.sandboxes.size, 0);
  await bench.eventUntil('web', ({ reason }) => reason === 'Killing');
  const reasons = (await bench.eventsOf('web')).map(({ reason, message }) => `${reason}: ${message}`);
  t.deepEqual(reasons.sort(), [
    'Created: Container created',
    'Killing: Stopping container main',
    'Pulled: Container image "busybox" already present on machine and can be accessed by the pod',
    'Started: Container started',
  ]);
});

test('a container that fails is restarted, then backs off', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({ metadata: { name: 'crash' }, spec: spec() });
  await until('main runs', () => bench.cri.running('main'));
  bench.cri.exit('main', 3);
  await until('main runs again', () => bench.cri.running('main'));
  const restarted = await bench.podUntil('crash', ({ status }) => {
    const [container] = status?.containerStatuses ?? [];
    return container?.restartCount === 1 && container.state?.running !== undefined;
  });
  const last = restarted.status?.containerStatuses?.[0]?.lastState?.terminated;
  t.is(last?.exitCode, 3);
  t.is(last?.reason, 'Error');
  bench.cri.exit('main', 4);
  const waiting = await bench.podUntil(
    'crash',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
  );
  const uid = waiting.metadata?.uid ?? '';
  t.is(
    waiting.status?.containerStatuses?.[0]?.state?.waiting?.message,
    `back-off 10s restarting failed container=main pod=crash_default(${uid})`,
  );
  t.is(waiting.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 4);
  t.is(waiting.status?.phase, 'Running');
  const ready = waiting.status?.conditions?.find(({ type }) => type === 'Ready');
  t.is(ready?.reason, 'ContainersNotReady');
  t.is(ready?.message, 'containers with unready status: [main]');
  const event = await bench.eventUntil('crash', ({ reason }) => reason === 'BackOff');
  t.is(event.message, `Back-off restarting failed container main in pod crash_default(${uid})`);
  t.is(event.type, 'Warning');
  t.is(event.involvedObject.fieldPath, 'spec.containers{main}');
});

test('Never and OnFailure pods end as Failed and Succeeded', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({ metadata: { name: 'never' }, spec: spec({ restartPolicy: 'Never' }) });
  await until('main runs', () => bench.cri.running('main'));
  bench.cri.exit('main', 2);
  const failed = await bench.podUntil('never', ({ status }) => status?.phase === 'Failed');
  t.is(failed.status?.conditions?.find(({ type }) => type === 'Ready')?.reason, 'PodFailed');
  t.is(failed.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 2);
  await until('sandbox stopped', () =>
    [...bench.cri.sandboxes.values()].every(({ state }) => state === 'SANDBOX_NOTREADY'),
  );
  await bench.createPod({
    metadata: { name: 'onfailure' },
    spec: spec({ restartPolicy: 'OnFailure', containers: [main({ name: 'job' })] }),
  });
  await until('job runs', () => bench.cri.running('job'));
  bench.cri.exit('job', 1);
  await until('job runs again', () => bench.cri.running('job'));
  bench.cri.exit('job', 0);
  const done = await bench.podUntil('onfailure', ({ status }) => status?.phase === 'Succeeded');
  t.is(done.status?.conditions?.find(({ type }) => type === 'Ready')?.reason, 'PodCompleted');
  t.is(done.status?.containerStatuses?.[0]?.restartCount, 1);
  await bench.client.resource(pods).delete({ name: 'onfailure', namespace: 'default' });
  await bench.gone('onfailure');
});

test('init containers run one after the other; sidecars stay and end last', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({
    metadata: { name: 'init' },
    spec: spec({
      initContainers: [
        main({ name: 'one' }),
        main({ name: 'side', restartPolicy: 'Always' }),
        main({ name: 'two' }),
      ],
    }),
  });
  await until('one runs', () => bench.cri.running('one'));
  const pending = await bench.podUntil(
    'init',
    ({ status }) => status?.initContainerStatuses?.[0]?.state?.running !== undefined,
  );
  t.is(pending.status?.phase, 'Pending');
  t.is(pending.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'PodInitializing');
  const initialized = pending.status?.conditions?.find(({ type }) => type === 'Initialized');
  t.is(initialized?.reason, 'ContainersNotInitialized');
  t.is(initialized?.message, 'containers with incomplete status: [one side two]');
  t.falsy(bench.cri.running('two'));
  bench.cri.exit('one', 0);
  await until('side runs', () => bench.cri.running('side'));
  await until('two runs', () => bench.cri.running('two'));
  bench.cri.exit('two', 0);
  await until('main runs', () => bench.cri.running('main'));
  const running = await bench.podUntil('init', ({ status }) => status?.phase === 'Running');
  t.deepEqual(
    running.status?.initContainerStatuses?.map(({ name, ready, started }) => [name, ready, started]),
    [
      ['one', true, false],
      ['side', true, true],
      ['two', true, false],
    ],
  );
  // A sidecar that ends comes back although the pod is long initialized.
  bench.cri.exit('side', 1);
  await until('side runs again', () => bench.cri.running('side'));
  const stops: string[] = [];
  bench.cri.intercept('StopContainer', ({ containerId }) => {
    stops.push(bench.cri.containers.get(String(containerId))?.config.metadata?.name ?? '');
    return undefined;
  });
  await bench.client.resource(pods).delete({ name: 'init', namespace: 'default', gracePeriodSeconds: 5 });
  await bench.gone('init');
  t.deepEqual(stops, ['main', 'side']);
});

test('a shorter grace period takes over also while sidecars wait for their turn', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({
    metadata: { name: 'patient' },
    spec: spec({
      terminationGracePeriodSeconds: 3600,
      initContainers: [main({ name: 'side', restartPolicy: 'Always' })],
    }),
  });
  await bench.podUntil('patient', ({ status }) => status?.phase === 'Running');
  const stopping = Promise.withResolvers<void>();
  bench.cri.intercept('StopContainer', ({ timeout }) => {
    stopping.resolve();
    // It hears no SIGTERM: only the end of its grace period ends it.
    return Number(timeout) > 60 ? new Promise<undefined>(() => undefined) : undefined;
  });
  const deletion = { name: 'patient', namespace: 'default' };
  await bench.client.resource(pods).delete(deletion);
  await stopping.promise;
  await bench.client.resource(pods).delete({ ...deletion, gracePeriodSeconds: 1 });
  await bench.gone('patient');
  t.is(bench.cri.sandboxes.size, 0);
});

test('a pod may take a month to end', async (t) => {
  const bench = await startBench(t);
  bench.cri.intercept('StopContainer', async () => {
    await delay(1500); // longer than until a failed kill is tried again
    return undefined;
  });
  await bench.createPod({
    metadata: { name: 'patient' },
    spec: spec({ terminationGracePeriodSeconds: 30 * 86_400 }),
  });
  await until('main runs', () => bench.cri.running('main'));
  await bench.client.resource(pods).delete({ name: 'patient', namespace: 'default' });
  await bench.gone('patient');
  const stops = bench.cri.calls.filter(({ method }) => method === 'StopContainer');
  t.deepEqual(
    stops.map(({ request }) => (request as { timeout: number }).timeout),
    [30 * 86_400],
  );
});

test('a failed init container fails a pod that never restarts', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({
    metadata: { name: 'badinit' },
    spec: spec({ restartPolicy: 'Never', initContainers: [main({ name: 'one' })] }),
  });
  await until('one runs', () => bench.cri.running('one'));
  bench.cri.exit('one', 5);
  const failed = await bench.podUntil('badinit', ({ status }) => status?.phase === 'Failed');
  t.is(failed.status?.initContainerStatuses?.[0]?.state?.terminated?.exitCode, 5);
  t.falsy([...bench.cri.containers.values()].find(({ config }) => config.metadata?.name === 'main'));
});

test('images: missing with Never, failing pulls, invalid names', async (t) => {
  const bench = await startBench(t);
  bench.cri.intercept('PullImage', () => {
    throw new FakeCriError(5, 'failed to resolve image: not found');
  });
  await bench.createPod({
    metadata: { name: 'never' },
    spec: spec({ containers: [main({ image: 'nothing:1', imagePullPolicy: 'Never' })] }),
  });
  await bench.createPod({
    metadata: { name: 'pull' },
    spec: spec({ containers: [main({ image: 'nothing:2' })] }),
  });
  await bench.createPod({
    metadata: { name: 'name' },
    spec: spec({ containers: [main({ image: 'UPPER' })] }),
  });
  const waitingFor = async (name: string, reason: string) => {
    const pod = await bench.podUntil(
      name,
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === reason,
    );
    return pod.status?.containerStatuses?.[0]?.state?.waiting?.message;
  };
  t.is(
    await waitingFor('never', 'ErrImageNeverPull'),
    'Container image "nothing:1" is not present with pull policy of Never',
  );
  t.is(
    await waitingFor('pull', 'ErrImagePull'),
    'rpc error: code = NotFound desc = failed to resolve image: not found',
  );
  t.is(
    await waitingFor('pull', 'ImagePullBackOff'),
    'Back-off pulling image "nothing:2": ErrImagePull: rpc error: code = NotFound desc = failed to resolve image: not found',
  );
  t.is(
    await waitingFor('name', 'InvalidImageName'),
    'Failed to apply default image tag "UPPER": couldn\'t parse image name "UPPER": invalid reference format: repository name (library/UPPER) must be lowercase',
  );
  await bench.eventUntil('pull', ({ message }) => message === 'Error: ImagePullBackOff');
  const told = (await bench.eventsOf('pull')).map(
    ({ type, reason, message }) => `${type} ${reason} ${message}`,
  );
  for (const line of [
    'Normal Pulling Pulling image "nothing:2"',
    'Warning Failed Failed to pull image "nothing:2": rpc error: code = NotFound desc = failed to resolve image: not found',
    'Warning Failed Error: ErrImagePull',
    'Normal BackOff Back-off pulling image "nothing:2"',
    'Warning Failed Error: ImagePullBackOff',
  ]) {
    t.true(told.includes(line), line);
  }
});

test('what the config lacks and what the runtime refuses is told', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({
    metadata: { name: 'config' },
    spec: spec({
      containers: [
        main({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'a' } } }] }),
      ],
    }),
  });
  const config = await bench.podUntil(
    'config',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.message === 'configmap "none" not found',
  );
  t.is(config.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'CreateContainerConfigError');
  await bench.eventUntil('config', ({ message }) => message === 'Error: configmap "none" not found');
  bench.cri.intercept('StartContainer', ({ containerId }) => {
    const container = bench.cri.containers.get(String(containerId));
    if (container?.config.metadata?.name !== 'broken') return undefined;
    throw new FakeCriError(2, 'exec: "nope": executable file not found in $PATH');
  });
  await bench.createPod({
    metadata: { name: 'start' },
    spec: spec({ containers: [main({ name: 'broken', command: ['nope'] })] }),
  });
  const start = await bench.podUntil(
    'start',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'RunContainerError',
  );
  t.is(
    start.status?.containerStatuses?.[0]?.state?.waiting?.message,
    'exec: "nope": executable file not found in $PATH',
  );
});

test('probes: readiness by exec, liveness kills and restarts, startup holds back', async (t) => {
  const bench = await startBench(t);
  const answers = { ready: 1, live: 0, started: 1 };
  bench.cri.intercept('ExecSync', ({ cmd }) => {
    const what = (cmd as unknown as string[])[0] as keyof typeof answers;
    return { stdout: Buffer.from(`${what} says no`), stderr: Buffer.alloc(0), exitCode: answers[what] };
  });
  const probe = (command: string) => ({
    exec: { command: [command] },
    periodSeconds: 1,
    failureThreshold: 1,
  });
  await bench.createPod({
    metadata: { name: 'probed' },
    spec: spec({
      containers: [
        main({
          readinessProbe: probe('ready'),
          livenessProbe: probe('live'),
          startupProbe: { ...probe('started'), failureThreshold: 100 },
        }),
      ],
    }),
  });
  const starting = await bench.podUntil(
    'probed',
    ({ status }) => status?.containerStatuses?.[0]?.state?.running !== undefined,
  );
  t.is(starting.status?.containerStatuses?.[0]?.started, false);
  t.is(starting.status?.containerStatuses?.[0]?.ready, false);
  answers.started = 0;
  const started = await bench.podUntil(
    'probed',
    ({ status }) => status?.containerStatuses?.[0]?.started === true,
  );
  t.is(started.status?.containerStatuses?.[0]?.ready, false);
  const unhealthy = await bench.eventUntil(
    'probed',
    ({ message }) => message?.startsWith('Readiness') === true,
  );
  t.is(unhealthy.reason, 'Unhealthy');
  t.is(unhealthy.message, 'Readiness probe failed: ready says no');
  answers.ready = 0;
  await bench.podUntil(
    'probed',
    ({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
  );
  answers.live = 1;
  await bench.eventUntil(
    'probed',
    ({ reason, message }) =>
      reason === 'Killing' && message === 'Container main failed liveness probe, will be restarted',
  );
  answers.live = 0;
  await bench.podUntil('probed', ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1);
});

test('a pod beyond its active deadline fails', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({ metadata: { name: 'slow' }, spec: spec({ activeDeadlineSeconds: 1 }) });
  const failed = await bench.podUntil('slow', ({ status }) => status?.phase === 'Failed');
  t.is(failed.status?.reason, 'DeadlineExceeded');
  t.is(failed.status?.message, 'Pod was active on the node longer than the specified deadline');
});

test('a pod that has more on the disk than it may is evicted', async (t) => {
  const bench = await startBench(t);
  const volumes = [{ name: 'data', emptyDir: { sizeLimit: '1Mi' } }];
  const containers = [main({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })];
  const { metadata } = await bench.createPod({
    metadata: { name: 'full' },
    spec: spec({ volumes, containers }),
  });
  await until('main runs', () => bench.cri.running('main'));
  const path = `${bench.dir}/kubelet/pods/${metadata?.uid}/volumes/kubernetes.io~empty-dir/data`;
  mkdirSync(`${path}/deep`);
  writeFileSync(`${path}/deep/big`, Buffer.alloc(3 << 20));
  const { status } = await bench.podUntil('full', (pod) => pod.status?.phase === 'Failed');
  const message = 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". ';
  t.is(status?.reason, 'Evicted');
  t.is(status?.message, message);
  t.false(status?.conditions?.some(({ type }) => type === 'DisruptionTarget'));
  const event = await bench.eventUntil('full', ({ reason }) => reason === 'Evicted');
  t.is(`${event.type} ${event.message}`, `Warning ${message}`);
});

test('a pod that is deleted already is not evicted', async (t) => {
  const bench = await startBench(t);
  const creating = Promise.withResolvers<undefined>();
  t.teardown(() => creating.resolve(undefined));
  let containers = 0;
  bench.cri.intercept('CreateContainer', () => (++containers > 1 ? creating.promise : undefined));
  const volumes = [{ name: 'data', emptyDir: { sizeLimit: '1Mi' } }];
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  const { metadata } = await bench.createPod({
    metadata: { name: 'full' },
    spec: spec({ volumes, containers: [main({ volumeMounts }), main({ name: 'slow' })] }),
  });
  await until('the second container', () => containers > 1);
  await bench.client.resource(pods).delete({ name: 'full', namespace: 'default' });
  // The kubelet hears of what happened in its order: when it has begun with another pod it knows of the deletion.
  await bench.createPod({ metadata: { name: 'other' }, spec: spec() });
  await until('the other sandbox', () => bench.cri.sandboxes.size === 2);
  const path = `${bench.dir}/kubelet/pods/${metadata?.uid}/volumes/kubernetes.io~empty-dir/data`;
  writeFileSync(`${path}/big`, Buffer.alloc(3 << 20));
  await delay(2500 * patience); // longer than until it is counted
  creating.resolve(undefined);
  await bench.gone('full');
  await bench.eventUntil('full', ({ reason }) => reason === 'Killing');
  t.false((await bench.eventsOf('full')).some(({ reason }) => reason === 'Evicted'));
});

test('a pod whose containers have more on the disk than they may is evicted', async (t) => {
  const bench = await startBench(t, { clock: fasterClock(20) });
  bench.cri.intercept('ListContainerStats', () => ({
    stats: [...bench.cri.containers.values()].map(({ id, config }) => ({
      attributes: { id, labels: config.labels },
      writableLayer: { usedBytes: { value: 700_000 } },
    })),
  }));
  const limits = { 'ephemeral-storage': '1Mi' };
  await bench.createPod({
    metadata: { name: 'full' },
    spec: spec({
      containers: [main({ resources: { limits } }), main({ name: 'other', resources: { limits } })],
    }),
  });
  const { metadata } = await bench.podUntil('full', ({ status }) => status?.phase === 'Running');
  const logs = `${bench.dir}/logs/pods/default_full_${metadata?.uid}/other`;
  mkdirSync(logs, { recursive: true });
  const uid = metadata?.uid ?? '';
  const looks = () =>
    bench.cri.calls.filter(({ method, request }) => {
      const { filter } = request as { filter?: { labelSelector?: Record<string, string> } };
      return method === 'ListContainerStats' && filter?.labelSelector?.['io.kubernetes.pod.uid'] === uid;
    }).length;
  await until('two looks', () => looks() >= 2);
  t.is((await bench.pod('full')).status?.phase, 'Running');
  writeFileSync(`${logs}/0.log`, Buffer.alloc(400_000));
  const { status } = await bench.podUntil('full', (pod) => pod.status?.phase === 'Failed');
  t.is(status?.reason, 'Evicted');
  t.is(status?.message, 'Container other exceeded its local ephemeral storage limit "1Mi". ');
  const after = looks();
  await bench.eventUntil('full', ({ reason }) => reason === 'Evicted');
  t.is(looks(), after);
});

/** A clock that goes so many times faster than the machine's. */
function fasterClock(times: number): Clock {
  const startMs = Date.now();
  return {
    now: () => startMs + (Date.now() - startMs) * times,
    after: (delayMs, listener) => systemClock.after(delayMs / times, listener),
  };
}

test('postStart failure kills the container; hooks run by exec', async (t) => {
  const bench = await startBench(t);
  const commands: string[] = [];
  bench.cri.intercept('ExecSync', ({ cmd }) => {
    const [command = ''] = cmd as unknown as string[];
    commands.push(command);
    return { stdout: Buffer.from('out'), stderr: Buffer.alloc(0), exitCode: command === 'bad' ? 7 : 0 };
  });
  await bench.createPod({
    metadata: { name: 'hooks' },
    spec: spec({
      terminationGracePeriodSeconds: 5,
      containers: [
        main({
          lifecycle: { postStart: { exec: { command: ['post'] } }, preStop: { exec: { command: ['pre'] } } },
        }),
      ],
    }),
  });
  await bench.podUntil('hooks', ({ status }) => status?.phase === 'Running');
  t.deepEqual(commands, ['post']);
  await bench.client.resource(pods).delete({ name: 'hooks', namespace: 'default' });
  await bench.gone('hooks');
  t.deepEqual(commands, ['post', 'pre']);
  await bench.createPod({
    metadata: { name: 'badhook' },
    spec: spec({ containers: [main({ lifecycle: { postStart: { exec: { command: ['bad'] } } } })] }),
  });
  await bench.eventUntil(
    'badhook',
    ({ reason, message }) => reason === 'FailedPostStartHook' && message === 'PostStartHook failed',
  );
  await bench.eventUntil(
    'badhook',
    ({ reason, message }) => reason === 'Killing' && message === 'FailedPostStartHook',
  );
});

test('a pod that ends tells when it is no longer ready, and of liveness nothing', async (t) => {
  const bench = await startBench(t);
  let healthy = true;
  bench.cri.intercept('ExecSync', () => ({
    stdout: Buffer.alloc(0),
    stderr: Buffer.alloc(0),
    exitCode: healthy ? 0 : 1,
  }));
  const stopping = Promise.withResolvers<undefined>();
  bench.cri.intercept('StopContainer', async () => {
    healthy = false;
    return stopping.promise;
  });
  t.teardown(() => stopping.resolve(undefined));
  const probe = { exec: { command: ['check'] }, periodSeconds: 1, failureThreshold: 1 };
  await bench.createPod({
    metadata: { name: 'leaving' },
    spec: spec({ containers: [main({ readinessProbe: probe, livenessProbe: probe })] }),
  });
  const isReady = ({ status }: Pod) =>
    status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
  await bench.podUntil('leaving', isReady);
  await bench.client.resource(pods).delete({ name: 'leaving', namespace: 'default' });
  const { status } = await bench.podUntil('leaving', (pod) => !isReady(pod));
  t.is(status?.phase, 'Running');
  const [container] = status?.containerStatuses ?? [];
  t.true(container?.state?.running !== undefined);
  t.is(container?.started, true);
  t.is(container?.ready, false);
  for (const type of ['Ready', 'ContainersReady']) {
    const condition = status?.conditions?.find((one) => one.type === type);
    t.like(condition, { reason: 'ContainersNotReady', message: 'containers with unready status: [main]' });
  }
  stopping.resolve(undefined);
  await bench.gone('leaving');
  await bench.eventUntil('leaving', ({ message }) => message === 'Readiness probe failed: ');
  const messages = (await bench.eventsOf('leaving')).map(({ message }) => message);
  t.deepEqual(
    messages.filter((message) => message?.startsWith('Liveness')),
    [],
  );
});

test('a kubelet that is restarted takes running containers over', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({ metadata: { name: 'kept' }, spec: spec() });
  await bench.podUntil('kept', ({ status }) => status?.phase === 'Running');
  await bench.createPod({
    metadata: { name: 'dying' },
    spec: spec({ containers: [main({ name: 'gone' })] }),
  });
  await bench.podUntil('dying', ({ status }) => status?.phase === 'Running');
  const before = [...bench.cri.containers.keys()];
  await bench.kubelet.stop();
  // Ends while nobody looks, and is deleted for good.
  await bench.client.resource(pods).delete({ name: 'dying', namespace: 'default', gracePeriodSeconds: 0 });
  await bench.restartKubelet();
  await until('orphan removed', () => bench.cri.sandboxes.size === 1);
  const [kept] = [...bench.cri.containers.keys()];
  t.true(before.includes(kept ?? ''));
  t.is(bench.cri.containers.size, 1);
  const pod = await bench.pod('kept');
  t.is(pod.status?.containerStatuses?.[0]?.restartCount, 0);
  t.is(bench.cri.calls.filter(({ method }) => method === 'RunPodSandbox').length, 2);
});

test('of the pods that a kubelet finds at its start, the older one gets what both want', async (t) => {
  const bench = await startBench(t);
  const containers = [main({ ports: [{ containerPort: 80, hostPort: 18_080 }] })];
  await bench.restartKubelet(async () => {
    await bench.createPod({ metadata: { name: 'older' }, spec: spec({ containers }) });
    await delay(1100); // times of creation are whole seconds
    await bench.createPod({ metadata: { name: 'newer' }, spec: spec({ containers }) });
  });
  const newer = await bench.podUntil('newer', ({ status }) => status?.phase !== 'Pending');
  t.is(newer.status?.reason, 'NodePorts');
  await bench.podUntil('older', ({ status }) => status?.phase === 'Running');
});

test('a volume of an image that cannot be pulled shows why, as an image does', async (t) => {
  const bench = await startBench(t);
  bench.cri.intercept('PullImage', ({ image }) => {
    if (JSON.stringify(image).includes('none:1')) throw new FakeCriError(5, 'manifest unknown');
    return undefined;
  });
  await bench.createPod({
    metadata: { name: 'extra' },
    spec: spec({
      containers: [main({ volumeMounts: [{ name: 'v', mountPath: '/v' }] })],
      volumes: [{ name: 'v', image: { reference: 'none:1' } }],
    }),
  });
  const reasonIs = (reason: string) =>
    bench.podUntil(
      'extra',
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === reason,
    );
  await reasonIs('ErrImagePull');
  const pod = await reasonIs('ImagePullBackOff');
  t.regex(pod.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '', /none:1/);
});

test("a pod's sandbox is asked for with the handler of its RuntimeClass", async (t) => {
  const bench = await startBench(t);
  bench.cri.intercept('RunPodSandbox', ({ runtimeHandler }) => {
    if (runtimeHandler === '') return undefined;
    throw new FakeCriError(3, `no runtime for "${String(runtimeHandler)}" is configured`);
  });
  await bench.client.resource(runtimeClasses).create({
    object: {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'fast' },
      handler: 'fast-vm',
    },
  });
  await bench.createPod({ metadata: { name: 'special' }, spec: spec({ runtimeClassName: 'fast' }) });
  const failure =
    'Failed to create pod sandbox: rpc error: code = InvalidArgument desc = no runtime for "fast-vm" is configured';
  await bench.eventUntil(
    'special',
    ({ reason, message }) => reason === 'FailedCreatePodSandBox' && message === failure,
  );
  t.is((await bench.pod('special')).status?.phase, 'Pending');
  await bench.createPod({ metadata: { name: 'plain' }, spec: spec() });
  await bench.podUntil('plain', ({ status }) => status?.phase === 'Running');
});

test('a sandbox that cannot be made is tried again after a while, not at once', async (t) => {
  const bench = await startBench(t);
  const triedAtMs: number[] = [];
  bench.cri.intercept('RunPodSandbox', () => {
    triedAtMs.push(Date.now());
    if (triedAtMs.length === 1) throw new FakeCriError(2, 'no network');
  });
  await bench.createPod({ metadata: { name: 'late' }, spec: spec() });
  await bench.podUntil('late', ({ status }) => status?.phase === 'Running');
  const [first = 0, second = 0] = triedAtMs;
  t.true(second - first > 1500, `${second - first} ms`);
});

test('a pod whose image never came is deleted all the same', async (t) => {
  const bench = await startBench(t);
  const containers = [main({ image: 'none:1', imagePullPolicy: 'Never' })];
  const graces = { terminationGracePeriodSeconds: 1, containers };
  await bench.createPod({ metadata: { name: 'stuck' }, spec: spec(graces) });
  await bench.createPod({
    metadata: { name: 'stuckinit' },
    spec: spec({
      ...graces,
      initContainers: [main({ ...containers[0], name: 'one' })],
      containers: [main()],
    }),
  });
  await bench.podUntil(
    'stuck',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ErrImageNeverPull',
  );
  await bench.podUntil(
    'stuckinit',
    ({ status }) => status?.initContainerStatuses?.[0]?.state?.waiting?.reason === 'ErrImageNeverPull',
  );
  for (const name of ['stuck', 'stuckinit']) {
    await bench.client.resource(pods).delete({ name, namespace: 'default' });
    await bench.gone(name);
  }
  t.is(bench.cri.sandboxes.size, 0);
});

test('nobody waits for the pull of a pod that is deleted', async (t) => {
  const bench = await startBench(t);
  const never = Promise.withResolvers<undefined>();
  t.teardown(() => never.resolve(undefined));
  bench.cri.intercept('PullImage', () => never.promise);
  const containers = [main({ image: 'slow:1' })];
  const volumes = [{ name: 'data', image: { reference: 'slow:1' } }];
  const mounting = [main({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })];
  await bench.createPod({ metadata: { name: 'first' }, spec: spec({ containers }) });
  await until('the pull', () => bench.cri.calls.some(({ method }) => method === 'PullImage'));
  await bench.createPod({ metadata: { name: 'second' }, spec: spec({ containers }) });
  await bench.createPod({ metadata: { name: 'third' }, spec: spec({ containers: mounting, volumes }) });
  for (const name of ['first', 'second', 'third']) await bench.eventUntil(name, isPulling);
  for (const name of ['third', 'second', 'first']) {
    await bench.client.resource(pods).delete({ name, namespace: 'default' });
    await bench.gone(name);
    t.deepEqual(
      (await bench.eventsOf(name)).filter(({ type }) => type === 'Warning'),
      [],
    );
  }
});

test('a container that makes room for one of another image counts as running until that is pulled', async (t) => {
  const bench = await startBench(t);
  const pulled = Promise.withResolvers<undefined>();
  t.teardown(() => pulled.resolve(undefined));
  await bench.createPod({ metadata: { name: 'web' }, spec: spec() });
  const isReady = (pod: Pod) => pod.status?.containerStatuses?.[0]?.ready === true;
  await bench.podUntil('web', isReady);
  bench.cri.intercept('PullImage', () => pulled.promise);
  const patch = { spec: { containers: [{ name: 'main', image: 'slow:1' }] } };
  await bench.client.resource(pods).patch({ name: 'web', namespace: 'default', type: 'strategic', patch });
  await bench.eventUntil('web', isPulling);
  await delay(200); // for a status that would have been written before the pull
  const during = await bench.pod('web');
  t.true(isReady(during), JSON.stringify(during.status?.containerStatuses));
});

test('a resize is told to be impossible while the container runs, and is done when it starts again', async (t) => {
  const bench = await startBench(t);
  const containersWith = (cpu: string) => [main({ resources: { requests: { cpu } } })];
  await bench.createPod({ metadata: { name: 'web' }, spec: spec({ containers: containersWith('10m') }) });
  await bench.podUntil('web', ({ status }) => status?.phase === 'Running');
  const patch = { spec: { containers: containersWith('20m') } };
  await bench.client
    .resource(pods)
    .patch({ name: 'web', namespace: 'default', type: 'strategic', subresource: 'resize', patch });
  const pending = ({ status }: Pod) => status?.conditions?.find(({ type }) => type === 'PodResizePending');
  const told = await bench.podUntil('web', (pod) => pending(pod) !== undefined);
  t.like(pending(told), { status: 'True', reason: 'Infeasible' });
  t.like(told.status?.containerStatuses?.[0], {
    resources: { requests: { cpu: '10m' } },
    allocatedResources: { cpu: '10m' },
  });
  bench.cri.exit('main', 1);
  const done = await bench.podUntil(
    'web',
    ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1 && status.phase === 'Running',
  );
  const [status] =
    (await bench.podUntil('web', (pod) => pending(pod) === undefined)).status?.containerStatuses ?? [];
  t.deepEqual(status?.resources?.requests, { cpu: '20m' }, JSON.stringify(done.status));
});

const isPulling = ({ reason }: CoreV1Event): boolean => reason === 'Pulling';

test('nobody waits for the postStart hook of a pod that is deleted', async (t) => {
  const bench = await startBench(t);
  const never = Promise.withResolvers<undefined>();
  t.teardown(() => never.resolve(undefined));
  bench.cri.intercept('ExecSync', () => never.promise);
  const containers = [main({ lifecycle: { postStart: { exec: { command: ['sleep', 'infinity'] } } } })];
  await bench.createPod({ metadata: { name: 'hanging' }, spec: spec({ containers }) });
  await until('the hook', () => bench.cri.calls.some(({ method }) => method === 'ExecSync'));
  await bench.client.resource(pods).delete({ name: 'hanging', namespace: 'default' });
  await bench.gone('hanging');
  t.false((await bench.eventsOf('hanging')).some(({ reason }) => reason === 'FailedPostStartHook'));
});

test('a container that takes long to be restarted takes no longer than its deleted pod may', async (t) => {
  const bench = await startBench(t);
  const never = Promise.withResolvers<undefined>();
  t.teardown(() => never.resolve(undefined));
  bench.cri.intercept('ExecSync', () => ({ exitCode: 1 }));
  bench.cri.intercept('StopContainer', ({ timeout }) => (Number(timeout) > 100 ? never.promise : undefined));
  const livenessProbe = { exec: { command: ['false'] }, failureThreshold: 1, periodSeconds: 1 };
  await bench.createPod({
    metadata: { name: 'ill' },
    spec: spec({ terminationGracePeriodSeconds: 1000, containers: [main({ livenessProbe })] }),
  });
  await until('the stop', () => bench.cri.calls.some(({ method }) => method === 'StopContainer'));
  await bench.client.resource(pods).delete({ name: 'ill', namespace: 'default', gracePeriodSeconds: 1 });
  await bench.gone('ill');
  t.is(bench.cri.sandboxes.size, 0);
});

test('a pod with a finalizer ends as Failed and goes with its finalizer', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({
    metadata: { name: 'held', finalizers: ['example.com/hold'] },
    spec: spec({ initContainers: [main({ name: 'one' })] }),
  });
  await until('one runs', () => bench.cri.running('one'));
  await bench.client.resource(pods).delete({ name: 'held', namespace: 'default' });
  const held = await bench.podUntil('held', ({ status }) => status?.phase === 'Failed');
  t.is(held.status?.initContainerStatuses?.[0]?.state?.terminated?.exitCode, 143);
  t.is(held.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'PodInitializing');
  await bench.client.resource(pods).patch({
    name: 'held',
    namespace: 'default',
    type: 'merge',
    patch: { metadata: { finalizers: null } },
  });
  await bench.gone('held');
});
