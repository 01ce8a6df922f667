import test from 'ava';
import { makeDefaultAccount, podNamed, PODS, startTestServer } from './test-server.ts';

test('priority classes become numbers', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const { body } = await server.post(
    PODS,
    podNamed('critical', { priorityClassName: 'system-node-critical' }),
  );
  t.is(body.spec.priority, 2_000_001_000);
  const unknown = await server.post(PODS, podNamed('a', { priorityClassName: 'nothing' }));
  t.is(unknown.body.message, 'pods "a" is forbidden: no PriorityClass with name nothing was found');
  const classes = '/apis/scheduling.k8s.io/v1/priorityclasses';
  await server.post(classes, { metadata: { name: 'usual' }, value: 7, globalDefault: true });
  t.is((await server.post(PODS, podNamed('b'))).body.spec.priority, 7);
  const second = await server.post(classes, { metadata: { name: 'other' }, value: 8, globalDefault: true });
  t.regex(
    second.body.message,
    /PriorityClass usual is already marked as default\. Only one default can exist$/,
  );
});

test('limit ranges fill in and refuse', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post('/api/v1/namespaces/default/limitranges', {
    metadata: { name: 'l' },
    spec: {
      limits: [
        {
          type: 'Container',
          default: { memory: '64Mi' },
          defaultRequest: { memory: '32Mi' },
          max: { memory: '128Mi' },
        },
      ],
    },
  });
  const { body } = await server.post(PODS, podNamed('a'));
  t.deepEqual(body.spec.containers[0].resources, {
    limits: { memory: '64Mi' },
    requests: { memory: '32Mi' },
  });
  t.is(body.status.qosClass, 'Burstable');
  const containers = [{ name: 'main', image: 'busybox', resources: { limits: { memory: '1Gi' } } }];
  const large = await server.post(PODS, podNamed('b', { containers }));
  t.is(large.status, 403);
  t.is(
    large.body.message,
    'pods "b" is forbidden: maximum memory usage per Container is 128Mi, but limit is 1Gi',
  );
});

test('a Pod tells which of its limits come from the namespace', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post('/api/v1/namespaces/default/limitranges', {
    metadata: { name: 'l' },
    spec: {
      limits: [
        {
          type: 'Container',
          default: { cpu: '1' },
          defaultRequest: { memory: '32Mi', cpu: '100m' },
        },
      ],
    },
  });
  const container = (name: string, resources = {}) => ({ name, image: 'busybox', resources });
  const whole = { requests: { cpu: '50m', memory: '16Mi' }, limits: { cpu: '3' } };
  const { body } = await server.post(
    PODS,
    podNamed('a', {
      containers: [container('a'), container('b', { limits: { cpu: '3' } }), container('c', whole)],
      initContainers: [container('first', { requests: whole.requests })],
    }),
  );
  t.is(
    body.metadata.annotations['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu, memory request for container a; cpu limit for container a; memory request for container b; cpu limit for init container first',
  );
  const { body: told } = await server.post(PODS, podNamed('b', { containers: [container('c', whole)] }));
  t.is(told.metadata.annotations, undefined);
});

test('limit ranges bound what the containers of a Pod take together', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const limitsOf = (item: object) =>
    server.put('/api/v1/namespaces/default/limitranges/l', {
      metadata: { name: 'l' },
      spec: { limits: [{ type: 'Pod', ...item }] },
    });
  await server.post('/api/v1/namespaces/default/limitranges', {
    metadata: { name: 'l' },
    spec: { limits: [{ type: 'Pod', max: { cpu: '1' } }] },
  });
  const container = (name: string, cpu: string, more: object = {}) => ({
    name,
    image: 'busybox',
    resources: { limits: { cpu }, requests: { cpu: '200m' } },
    ...more,
  });
  const post = async (name: string, spec: object) => {
    const { status, body } = await server.post(PODS, podNamed(name, spec));
    return status === 201 ? 'made' : (body.message as string);
  };
  const two = (cpu: string) => ({ containers: [container('a', cpu), container('b', cpu)] });
  t.is(await post('fits', two('500m')), 'made');
  t.is(
    await post('large', two('600m')),
    'pods "large" is forbidden: maximum cpu usage per Pod is 1, but limit is 1200m',
  );
  const initContainers = [container('i', '2')];
  t.is(
    await post('init', { initContainers, ...two('200m') }),
    'pods "init" is forbidden: maximum cpu usage per Pod is 1, but limit is 2',
  );
  t.is(
    await post('none', {}),
    'pods "none" is forbidden: maximum cpu usage per Pod is 1.  No limit is specified',
  );
  await limitsOf({ min: { cpu: '500m' } });
  t.is(
    await post('small', two('500m')),
    'pods "small" is forbidden: minimum cpu usage per Pod is 500m, but request is 400m',
  );
  await limitsOf({ maxLimitRequestRatio: { cpu: '2' } });
  t.is(
    await post('ratio', two('500m')),
    'pods "ratio" is forbidden: cpu max limit to request ratio per Pod is 2, but provided ratio is 2.500000',
  );
});

test('the account that a Pod names must be there', async (t) => {
  const server = await startTestServer(t);
  const other = await server.post(PODS, podNamed('other', { serviceAccountName: 'other' }));
  t.regex(
    other.body.message,
    /error looking up service account default\/other: serviceaccount "other" not found$/,
  );
});

test('a runtime class must be there', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const missing = await server.post(PODS, podNamed('a', { runtimeClassName: 'fast' }));
  t.is(missing.body.message, 'pods "a" is forbidden: pod rejected: RuntimeClass "fast" not found');
  await server.post('/apis/node.k8s.io/v1/runtimeclasses', {
    metadata: { name: 'fast' },
    handler: 'fast',
    scheduling: { nodeSelector: { disk: 'ssd' } },
  });
  const { body } = await server.post(PODS, podNamed('a', { runtimeClassName: 'fast' }));
  t.deepEqual(body.spec.nodeSelector, { disk: 'ssd' });
});

test('a new node is not ready', async (t) => {
  const server = await startTestServer(t);
  const { body } = await server.post('/api/v1/nodes', { metadata: { name: 'n' } });
  t.deepEqual(body.spec.taints, [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
});

test("the pull secrets of the account are the Pod's", async (t) => {
  const server = await startTestServer(t);
  await server.post('/api/v1/namespaces/default/serviceaccounts', {
    metadata: { name: 'default' },
    imagePullSecrets: [{ name: 'registry' }],
    automountServiceAccountToken: false,
  });
  const { body } = await server.post(PODS, {
    metadata: { name: 'a' },
    spec: { containers: [{ name: 'main', image: 'busybox' }] },
  });
  t.deepEqual(body.spec.imagePullSecrets, [{ name: 'registry' }]);
  t.is(body.spec.volumes, undefined);
});
