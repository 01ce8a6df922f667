import test from 'ava';
import { nodes, pods } from '../../../client/resources.ts';
import { startBench } from '../kubelet-on-fakes.ts';
import { main, spec } from '../pod-spec.ts';

test('a pod that does not fit is refused', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({
    metadata: { name: 'big' },
    spec: spec({ containers: [main({ resources: { requests: { cpu: '1000' } } })] }),
  });
  const failed = await bench.podUntil('big', ({ status }) => status?.phase === 'Failed');
  t.is(failed.status?.reason, 'OutOfcpu');
  t.regex(
    failed.status?.message ?? '',
    /^Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000, used: 0, capacity: \d+$/,
  );
  // Nothing is said of containers that were never to run, after a restart neither.
  const fields = ['message', 'observedGeneration', 'phase', 'qosClass', 'reason', 'startTime'];
  t.deepEqual(Object.keys(failed.status ?? {}).sort(), fields);
  await bench.restartKubelet();
  await bench.createPod({ metadata: { name: 'small' }, spec: spec() });
  await bench.podUntil('small', ({ status }) => status?.phase === 'Running');
  t.deepEqual((await bench.pod('big')).status, failed.status);
  await bench.client.resource(pods).delete({ name: 'big', namespace: 'default' });
  await bench.gone('big');
});

test('a label that the node has only now counts', async (t) => {
  const bench = await startBench(t);
  const patch = { metadata: { labels: { disk: 'ssd' } } };
  await Promise.all([
    bench.client.resource(nodes).patch({ name: bench.nodeName, type: 'merge', patch }),
    bench.createPod({ metadata: { name: 'fast' }, spec: spec({ nodeSelector: { disk: 'ssd' } }) }),
  ]);
  const pod = await bench.podUntil('fast', ({ status }) => status?.phase !== 'Pending');
  t.is(pod.status?.phase, 'Running');
  await bench.createPod({ metadata: { name: 'slow' }, spec: spec({ nodeSelector: { disk: 'tape' } }) });
  const failed = await bench.podUntil('slow', ({ status }) => status?.phase === 'Failed');
  t.is(failed.status?.reason, 'NodeAffinity');
});
