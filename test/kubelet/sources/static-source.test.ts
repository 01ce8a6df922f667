import test from 'ava';
import { staticPod } from '../../../kubelet/sources/static-source.ts';

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
