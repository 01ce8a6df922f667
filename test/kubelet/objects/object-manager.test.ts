import test from 'ava';
import type { Pod } from '../../../api/types.ts';
import { isNotFound } from '../../../client/errors.ts';
import { createObjectManager } from '../../../kubelet/objects/object-manager.ts';
import { podReferences } from '../../../kubelet/objects/pod-references.ts';
import { createFakeApi } from '../volumes/fake-api.ts';
import { until } from '../../environment.ts';

const pod = (uid: string, configMaps: string[], namespace = 'default'): Pod => ({
  metadata: { name: uid, namespace, uid },
  spec: { containers: [{ name: 'c', envFrom: configMaps.map((name) => ({ configMapRef: { name } })) }] },
});

const make = (t: { teardown(f: () => Promise<void>): void }) => {
  const api = createFakeApi();
  const objects = createObjectManager({ client: api.client });
  t.teardown(() => objects.close());
  const put = (name: string, a: string, namespace = 'default') =>
    api.put('configmaps', { metadata: { name, namespace }, data: { a } });
  return { api, objects, put };
};

test('every way to name an object', (t) => {
  const references = podReferences({
    spec: {
      imagePullSecrets: [{ name: 'pull' }],
      volumes: [
        { name: 'a', configMap: { name: 'c1' } },
        { name: 'b', secret: { secretName: 's1' } },
        { name: 'c', projected: { sources: [{ configMap: { name: 'c2' } }, { secret: { name: 's2' } }] } },
        { name: 'd', emptyDir: {} },
      ],
      initContainers: [
        { name: 'i', env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c3', key: 'k' } } }] },
      ],
      containers: [
        { name: 'm', envFrom: [{ secretRef: { name: 's3' } }, { configMapRef: { name: 'c1' } }] },
        {
          name: 'n',
          env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's4', key: 'k' } } }, { name: 'B' }],
        },
      ],
    },
  });
  const keys = references.map(({ kind, name }) => `${kind[0]}:${name}`).sort();
  t.deepEqual(keys, ['C:c1', 'C:c2', 'C:c3', 'S:pull', 'S:s1', 'S:s2', 'S:s3', 'S:s4']);
});

test('one watch for an object, ended with the last Pod that names it', async (t) => {
  const { api, objects, put } = make(t);
  put('c', '1');
  for (const uid of ['a', 'b', 'b']) objects.registerPod(pod(uid, ['c']));
  t.is((await objects.getConfigMap('default', 'c')).data?.['a'], '1');
  await until('a watch is open', () => api.openWatches.get('configmaps') === 1);
  objects.unregisterPod('a');
  t.is(objects.size, 1);
  objects.unregisterPod('b');
  objects.unregisterPod('b');
  t.is(objects.size, 0);
  await until('no watch is open', () => api.openWatches.get('configmaps') === 0);
  await t.throwsAsync(objects.getConfigMap('default', 'c'), {
    message: 'object "default"/"c" not registered',
  });
});

test('a Pod that names other objects now', async (t) => {
  const { objects, put } = make(t);
  put('c', '1');
  put('d', '2');
  objects.registerPod(pod('a', ['c']));
  objects.registerPod(pod('a', ['d']));
  t.is(objects.size, 1);
  t.is((await objects.getConfigMap('default', 'd')).data?.['a'], '2');
});

test('namespaces are apart', async (t) => {
  const { objects, put } = make(t);
  put('c', '1', 'one');
  put('c', '2', 'two');
  objects.registerPod(pod('a', ['c'], 'one'));
  objects.registerPod(pod('b', ['c'], 'two'));
  t.is((await objects.getConfigMap('one', 'c')).data?.['a'], '1');
  t.is((await objects.getConfigMap('two', 'c')).data?.['a'], '2');
});

test('what isn’t there is not found, and its coming is told', async (t) => {
  const { objects, put } = make(t);
  const changes: string[] = [];
  objects.onChange(({ kind, namespace, name }) => changes.push(`${kind} ${namespace}/${name}`));
  objects.registerPod(pod('a', ['c']));
  const error = await t.throwsAsync(objects.getConfigMap('default', 'c'), {
    message: 'configmap "c" not found',
  });
  t.true(isNotFound(error));
  put('c', '1');
  await until('one change', () => changes.length === 1);
  t.deepEqual(changes, ['ConfigMap default/c']);
  put('c', '2');
  await until('two changes', () => changes.length === 2);
  t.is((await objects.getConfigMap('default', 'c')).data?.['a'], '2');
});
