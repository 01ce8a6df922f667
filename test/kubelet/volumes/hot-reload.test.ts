import { readFileSync, readlinkSync, watch } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { makeNode, makePod } from './node.ts';
import { until } from '../../environment.ts';

const configMap = (a: string, immutable = false) => ({
  metadata: { name: 'shared', namespace: 'default' },
  data: { a, b: a },
  immutable,
});

test('one change reaches fifty Pods, by one watch, in one switch each', async (t) => {
  const node = makeNode(t);
  node.api.put('configmaps', configMap('v0'));
  const pods = Array.from({ length: 50 }, () => makePod([{ name: 'config', configMap: { name: 'shared' } }]));
  await Promise.all(pods.map((pod) => node.volumes.waitForMount(pod)));
  t.is(node.api.openWatches.get('configmaps'), 1);
  const paths = pods.map((pod) => node.pathOf(pod, 'configmap', 'config'));
  const read = () => paths.map((path) => readFileSync(join(path, 'a'), 'utf8'));
  t.true(read().every((text) => text === 'v0'));
  const switches = new Map<string, number>();
  using watches = new DisposableStack();
  for (const path of paths) {
    const count = () => switches.set(path, (switches.get(path) ?? 0) + 1);
    // Node's own watchers share one inotify instance, of which a user has only 128.
    const watcher = watch(path, (_event, name) => name === '..data' && count());
    watches.defer(() => watcher.close());
  }
  const startedAtMs = performance.now();
  node.api.put('configmaps', configMap('v1'));
  await until('fifty switches', () => switches.size === 50);
  t.log(`all fifty after ${(performance.now() - startedAtMs).toFixed(1)} ms`);
  t.true(read().every((text) => text === 'v1'));
  t.deepEqual([...new Set(switches.values())], [1]);
  for (const pod of pods) await node.volumes.unmountPod(pod.metadata?.uid ?? '');
  await until('no watch is open', () => node.api.openWatches.get('configmaps') === 0);
  t.is(node.volumes.objects.size, 0);
});

test('many changes at once end with the last one', async (t) => {
  const node = makeNode(t);
  node.api.put('configmaps', configMap('v0'));
  const pod = makePod([{ name: 'config', configMap: { name: 'shared' } }]);
  await node.volumes.waitForMount(pod);
  for (let version = 1; version <= 100; version += 1) node.api.put('configmaps', configMap(`v${version}`));
  const path = node.pathOf(pod, 'configmap', 'config');
  await until('b is v100', () => readFileSync(join(path, 'b'), 'utf8') === 'v100');
  t.is(readFileSync(join(path, 'a'), 'utf8'), 'v100');
});

test('a deleted configMap leaves the files, and tells', async (t) => {
  const node = makeNode(t);
  node.api.put('configmaps', configMap('v0'));
  const pod = makePod([{ name: 'config', configMap: { name: 'shared' } }]);
  await node.volumes.waitForMount(pod);
  node.api.remove('configmaps', 'default', 'shared');
  await until('an event', () => node.events.length > 0);
  t.is(
    node.events[0]?.message,
    'MountVolume.SetUp failed for volume "config" : configmap "shared" not found',
  );
  const path = node.pathOf(pod, 'configmap', 'config');
  t.is(readFileSync(join(path, 'a'), 'utf8'), 'v0');
  await node.volumes.waitForMount(pod);
  node.api.put('configmaps', configMap('v1'));
  await until('a is v1', () => readFileSync(join(path, 'a'), 'utf8') === 'v1');
});

test('an immutable configMap is read once and not watched', async (t) => {
  const node = makeNode(t);
  node.api.put('configmaps', configMap('v0', true));
  const pods = [0, 1].map(() => makePod([{ name: 'config', configMap: { name: 'shared' } }]));
  for (const pod of pods) await node.volumes.waitForMount(pod);
  t.is(node.api.openWatches.get('configmaps') ?? 0, 0);
  const paths = pods.map((pod) => node.pathOf(pod, 'configmap', 'config'));
  t.deepEqual(
    paths.map((path) => readFileSync(join(path, 'a'), 'utf8')),
    ['v0', 'v0'],
  );
});

test('a change of the Pod’s status writes nothing', async (t) => {
  const node = makeNode(t);
  const items = [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }];
  const pod = makePod([{ name: 'info', downwardAPI: { items } }]);
  await node.volumes.waitForMount(pod);
  const data = join(node.pathOf(pod, 'downward-api', 'info'), '..data');
  const before = readlinkSync(data);
  for (const phase of ['Pending', 'Running']) node.volumes.syncPod({ ...pod, status: { phase } });
  await node.volumes.waitForMount(pod);
  t.is(readlinkSync(data), before);
  node.volumes.syncPod({ ...pod, metadata: { ...pod.metadata, labels: { app: 'new' } } });
  await until('..data is switched', () => readlinkSync(data) !== before);
});
