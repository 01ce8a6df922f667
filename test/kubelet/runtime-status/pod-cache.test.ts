import test from 'ava';
import type * as cri from '../../../runtime/cri/types.ts';
import type { CriClient } from '../../../kubelet/cri/cri-client.ts';
import { createPodCache } from '../../../kubelet/runtime-status/pod-cache.ts';
import { sandboxOf } from '../pod-builder.ts';

const UID = 'uid-1';

const containerStatus = (state: cri.ContainerState) =>
  ({
    id: 'c',
    metadata: { name: 'main', attempt: 0 },
    state,
    createdAt: 1e9,
    startedAt: 1e9,
    finishedAt: 0,
    exitCode: 0,
    image: { image: 'busybox' },
    imageRef: '',
    reason: '',
    message: '',
    labels: {},
    annotations: {},
    mounts: [],
    logPath: '',
  }) as unknown as cri.ContainerStatus;

const eventOf = (containersStatuses: cri.ContainerStatus[], type: cri.ContainerEventType) => ({
  containerId: type === 'CONTAINER_DELETED_EVENT' ? 'sandbox-1' : 'c',
  containerEventType: type,
  createdAt: Date.now() * 1e6,
  podSandboxStatus: sandboxOf(),
  containersStatuses,
});

/** A runtime that has answered with what it knew, and whose answer is still on its way. */
function slowRuntime(known: { containers: cri.ContainerStatus[] }) {
  const arrival = Promise.withResolvers<void>();
  const { containers } = known;
  const answers: Record<string, object> = {
    ListPodSandbox: { items: [sandboxOf()] },
    ListContainers: { containers: containers.map((one) => ({ ...one, podSandboxId: 'sandbox-1' })) },
    PodSandboxStatus: { status: sandboxOf() },
    ContainerStatus: { status: containers[0] },
  };
  const client = { call: async (method: string) => arrival.promise.then(() => answers[method]) };
  return { cache: createPodCache({ cri: client as unknown as CriClient }), arrive: arrival.resolve };
}

const statesIn = (cache: ReturnType<typeof createPodCache>) =>
  cache.get(UID)?.containers.map(({ state }) => state);

test('a relist does not take back what an event has told meanwhile', async (t) => {
  const { cache, arrive } = slowRuntime({ containers: [] });
  const relist = cache.relist();
  cache.accept(eventOf([containerStatus('CONTAINER_RUNNING')], 'CONTAINER_STARTED_EVENT'));
  arrive();
  t.deepEqual(await relist, []);
  t.deepEqual(statesIn(cache), ['running']);
});

test('looking at a Pod does not bring an exited container back', async (t) => {
  const { cache, arrive } = slowRuntime({ containers: [containerStatus('CONTAINER_RUNNING')] });
  const inspection = cache.inspect(UID);
  cache.accept(eventOf([containerStatus('CONTAINER_EXITED')], 'CONTAINER_STOPPED_EVENT'));
  arrive();
  await inspection;
  t.deepEqual(statesIn(cache), ['exited']);
});

test('a relist does not bring back a sandbox that was removed meanwhile', async (t) => {
  const { cache, arrive } = slowRuntime({ containers: [] });
  const relist = cache.relist();
  cache.accept(eventOf([], 'CONTAINER_DELETED_EVENT'));
  arrive();
  await relist;
  t.is(cache.get(UID), undefined);
});

test('what a relist does not find any more is gone', async (t) => {
  const { cache, arrive } = slowRuntime({ containers: [containerStatus('CONTAINER_RUNNING')] });
  const old = {
    ...sandboxOf({ id: 'old' }),
    metadata: { name: 'b', namespace: 'default', uid: 'b', attempt: 0 },
  };
  cache.accept({ ...eventOf([], 'CONTAINER_STARTED_EVENT'), podSandboxStatus: old });
  t.deepEqual(cache.uids(), ['b']);
  arrive();
  t.deepEqual((await cache.relist()).sort(), ['b', UID]);
  t.deepEqual(cache.uids(), [UID]);
  t.deepEqual(statesIn(cache), ['running']);
});

test('an event that is older than what was seen since is not taken', async (t) => {
  const { cache, arrive } = slowRuntime({ containers: [containerStatus('CONTAINER_RUNNING')] });
  arrive();
  await cache.relist();
  // The sandbox had begun, the container had not.
  t.is(cache.accept({ ...eventOf([], 'CONTAINER_STARTED_EVENT'), createdAt: 1e8 }), undefined);
  t.deepEqual(statesIn(cache), ['running']);
});
