import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { pods } from '../../../client/resources.ts';
import { until } from '../../environment.ts';
import type { FakeContainer } from '../fake-cri.ts';
import { startBench } from '../kubelet-on-fakes.ts';
import type { Bench } from '../kubelet-on-fakes.ts';
import { spec } from '../pod-spec.ts';

const isRunning = ({ status }: FakeContainer): boolean => status.state === 'CONTAINER_RUNNING';

/** The containers of Pods that end wait for `stop()`. */
function holdStops(bench: Bench) {
  const stopping = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<undefined>();
  bench.cri.intercept('StopContainer', () => {
    stopping.resolve();
    return stopped.promise;
  });
  return { stopping: stopping.promise, stop: () => stopped.resolve(undefined) };
}

/** When this one has its mirror, the folder has been read again. */
async function secondPod(bench: Bench, folder: string) {
  const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'second' }, spec: spec() };
  writeFileSync(join(folder, 'second.json'), JSON.stringify(manifest));
  await bench.podUntil('second-node-1', ({ status }) => status?.phase === 'Running');
}

test('static pods from a folder have mirrors', async (t) => {
  const folder = join('/tmp', `ll-static-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const bench = await startBench(t, { staticPodDir: folder });
  const manifest = (image: string) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'fixed' },
      spec: {
        containers: [{ name: 'main', image, imagePullPolicy: 'Never' }],
        terminationGracePeriodSeconds: 1,
      },
    });
  writeFileSync(join(folder, 'fixed.json'), manifest('busybox'));
  let mirror = await bench.podUntil('fixed-node-1', ({ status }) => status?.phase === 'Running');
  const annotations = mirror.metadata?.annotations ?? {};
  t.is(annotations['kubernetes.io/config.source'], 'file');
  t.is(annotations['kubernetes.io/config.mirror'], annotations['kubernetes.io/config.hash']);
  t.is(mirror.metadata?.ownerReferences?.[0]?.kind, 'Node');
  // A mirror that is deleted comes back at once, however it is deleted, and the pod is not touched.
  const [container] = [...bench.cri.containers.keys()];
  for (const gracePeriodSeconds of [0, 30]) {
    const { uid } = mirror.metadata ?? {};
    await bench.client
      .resource(pods)
      .delete({ name: 'fixed-node-1', namespace: 'default', gracePeriodSeconds });
    mirror = await bench.podUntil(
      'fixed-node-1',
      ({ metadata, status }) => metadata?.uid !== uid && status?.phase === 'Running',
    );
    t.is([...bench.cri.containers.keys()][0], container);
    t.not(mirror.metadata?.uid, uid);
  }
  // The mirror stays while the Pod is ending.
  const { stopping, stop } = holdStops(bench);
  rmSync(join(folder, 'fixed.json'));
  await stopping;
  await secondPod(bench, folder);
  t.is((await bench.pod('fixed-node-1')).metadata?.uid, mirror.metadata?.uid);
  rmSync(join(folder, 'second.json'));
  stop();
  await bench.gone('fixed-node-1');
  await until('static pod gone', () => bench.cri.sandboxes.size === 0);
});

test('a static pod runs again when its file was taken away and put back', async (t) => {
  const folder = join('/tmp', `ll-static-back-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const bench = await startBench(t, { staticPodDir: folder });
  const file = join(folder, 'fixed.json');
  const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'fixed' }, spec: spec() };
  writeFileSync(file, JSON.stringify(manifest));
  await bench.podUntil('fixed-node-1', ({ status }) => status?.phase === 'Running');
  const first = bench.cri.running('main')?.id;
  const { stopping, stop } = holdStops(bench);
  rmSync(file);
  await stopping;
  writeFileSync(file, JSON.stringify(manifest));
  await secondPod(bench, folder);
  stop();
  await until('the pod runs again', () => {
    const running = [...bench.cri.containers.values()].filter(isRunning);
    return running.length === 2 && running.every(({ id }) => id !== first);
  });
  await bench.podUntil('fixed-node-1', ({ status }) => status?.phase === 'Running');
  t.pass();
});

test('a restart of the kubelet keeps the mirrors', async (t) => {
  const folder = join('/tmp', `ll-static-kept-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const bench = await startBench(t, { staticPodDir: folder });
  const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'fixed' }, spec: spec() };
  writeFileSync(join(folder, 'fixed.json'), JSON.stringify(manifest));
  const before = await bench.podUntil('fixed-node-1', ({ status }) => status?.phase === 'Running');
  await bench.restartKubelet();
  await bench.createPod({ metadata: { name: 'other' }, spec: spec() });
  await bench.podUntil('other', ({ status }) => status?.phase === 'Running');
  t.is((await bench.pod('fixed-node-1')).metadata?.uid, before.metadata?.uid);
});

test('a pod of the API server is none of the node, whatever it says', async (t) => {
  const bench = await startBench(t);
  const annotations = { 'kubernetes.io/config.source': 'file' };
  await bench.createPod({ metadata: { name: 'claims', annotations }, spec: spec() });
  await bench.podUntil('claims', ({ status }) => status?.phase === 'Running');
  await bench.client.resource(pods).delete({ name: 'claims', namespace: 'default' });
  await t.notThrowsAsync(bench.gone('claims'));
});
