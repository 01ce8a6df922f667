import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { pods } from '../../../client/resources.ts';
import { until } from '../../environment.ts';
import { startBench } from '../kubelet-on-fakes.ts';
import { spec } from '../pod-spec.ts';

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
  const mirror = await bench.podUntil('fixed-node-1', ({ status }) => status?.phase === 'Running');
  const annotations = mirror.metadata?.annotations ?? {};
  t.is(annotations['kubernetes.io/config.source'], 'file');
  t.is(annotations['kubernetes.io/config.mirror'], annotations['kubernetes.io/config.hash']);
  t.is(mirror.metadata?.ownerReferences?.[0]?.kind, 'Node');
  // A mirror that is deleted comes back, and the pod is not touched.
  const [container] = [...bench.cri.containers.keys()];
  await bench.client
    .resource(pods)
    .delete({ name: 'fixed-node-1', namespace: 'default', gracePeriodSeconds: 0 });
  const again = await bench.podUntil(
    'fixed-node-1',
    ({ metadata, status }) => metadata?.uid !== mirror.metadata?.uid && status?.phase === 'Running',
  );
  t.is([...bench.cri.containers.keys()][0], container);
  t.not(again.metadata?.uid, mirror.metadata?.uid);
  rmSync(join(folder, 'fixed.json'));
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
  const stopping = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<undefined>();
  bench.cri.intercept('StopContainer', () => {
    stopping.resolve();
    return stopped.promise;
  });
  rmSync(file);
  await stopping.promise;
  writeFileSync(file, JSON.stringify(manifest));
  // The watch of the folder has told by now; the old containers end only after it.
  await bench.gone('fixed-node-1').catch(() => undefined);
  stopped.resolve(undefined);
  await until('the pod runs again', () => {
    const running = bench.cri.running('main');
    return running !== undefined && running.id !== first;
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
