import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { dir } from 'tmp-promise';
import { followStaticPods, staticPod } from '../../../kubelet/sources/static-source.ts';
import { createFakeClock } from '../../client/fake-clock.ts';
import { until } from '../../environment.ts';

const place = { path: '/manifests/a.yaml', nodeName: 'node-1', now: new Date('2026-01-01T00:00:00Z') };
const manifest = (image = 'busybox') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'fixed' },
  spec: { containers: [{ name: 'main', image }] },
});

test('a manifest becomes a pod of this node', (t) => {
  const pod = staticPod(manifest(), place);
  t.is(pod.metadata.name, 'fixed-node-1');
  t.is(pod.metadata.namespace, 'default');
  t.is(pod.spec.nodeName, 'node-1');
  t.is(pod.spec.restartPolicy, 'Always');
  t.deepEqual(pod.spec.tolerations, [{ operator: 'Exists', effect: 'NoExecute' }]);
  t.deepEqual(pod.metadata.annotations, {
    'kubernetes.io/config.hash': pod.metadata.uid,
    'kubernetes.io/config.seen': '2026-01-01T00:00:00.000Z',
    'kubernetes.io/config.source': 'file',
  });
  t.is(staticPod(manifest(), place).metadata.uid, pod.metadata.uid);
  t.not(staticPod(manifest('other'), place).metadata.uid, pod.metadata.uid);
});

test('what is no pod is refused', (t) => {
  t.throws(() => staticPod(null, place), { message: 'invalid pod: kind is not v1 Pod' });
  t.throws(() => staticPod({ ...manifest(), metadata: {} }, place), {
    message: 'invalid pod: name is needed for the pod',
  });
  t.throws(
    () => staticPod({ ...manifest(), spec: { containers: [{ name: 'Bad_Name', image: 'a' }] } }, place),
    {
      message: /^invalid pod: \[spec\.containers\[0\]\.name: Invalid value: "Bad_Name"/,
    },
  );
});

test('what inotify does not tell is found all the same: a link, and another folder in place of the first', async (t) => {
  const { path, cleanup } = await dir({ unsafeCleanup: true, prefix: 'static-source-test' });
  t.teardown(cleanup);
  const folder = join(path, 'manifests');
  const clock = createFakeClock();
  let found: string[] = ['not read yet'];
  const source = followStaticPods({
    folder,
    nodeName: 'node-1',
    clock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    onChange: (pods) => (found = pods.map(({ metadata }) => metadata.name)),
  });
  t.teardown(() => source.stop());
  await source.ready;
  t.deepEqual(found, []);
  const write = (file: string, name: string) =>
    writeFileSync(file, JSON.stringify({ ...manifest(), metadata: { name } }));
  write(join(path, 'elsewhere.json'), 'linked');
  symlinkSync(join(path, 'elsewhere.json'), join(folder, 'linked.json'));
  clock.advance(20_000);
  await until('the link', () => found.join() === 'linked-node-1');
  renameSync(folder, join(path, 'away'));
  clock.advance(20_000);
  await until('no pods', () => found.length === 0);
  mkdirSync(folder);
  write(join(folder, 'other.json'), 'other');
  clock.advance(20_000);
  await until('the other folder', () => found.join() === 'other-node-1');
  write(join(folder, 'third.json'), 'third'); // told by inotify
  await until('its change', () => found.join() === 'other-node-1,third-node-1');
  rmSync(join(folder, 'other.json'));
  await until('its change', () => found.join() === 'third-node-1');
});
