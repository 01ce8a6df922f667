import test from 'ava';
import { startTestServer } from './test-server.ts';
import type { Answer } from './test-server.ts';

const PATH = '/api/v1/namespaces/default/podtemplates';

const podTemplate = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'PodTemplate',
  metadata: { name, labels },
  template: {
    metadata: { labels: { app: 'web', ...labels } },
    spec: {
      containers: [
        { name: 'main', image: 'busybox:1' },
        { name: 'side', image: 'busybox:2' },
      ],
    },
  },
});

const names = ({ body }: Answer): string[] =>
  (body.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);

test('a PodTemplate is made with the defaults of a spec, changed and deleted', async (t) => {
  const server = await startTestServer(t);
  const made = await server.post(PATH, podTemplate('a'));
  t.is(made.status, 201);
  t.is(made.body.metadata.generation, 1);
  t.is(made.body.template.spec.containers[0].imagePullPolicy, 'IfNotPresent');
  t.is(made.body.template.spec.terminationGracePeriodSeconds, 30);
  t.false('enableServiceLinks' in made.body.template.spec, 'that is a default of Pods alone');
  const labelled = await server.patch(`${PATH}/a`, { metadata: { labels: { x: 'y' } } });
  t.is(labelled.body.metadata.generation, 1);
  const changed = await server.patch(`${PATH}/a`, {
    template: { metadata: { annotations: { note: 'new' } } },
  });
  t.is(changed.body.metadata.generation, 2);
  const { resourceVersion: _, ...metadata } = changed.body.metadata;
  const replaced = await server.put(`${PATH}/a`, { ...podTemplate('a'), metadata });
  t.is(replaced.status, 200, 'without a resourceVersion');
  t.is(replaced.body.metadata.generation, 3);
  const deleted = await server.remove(`${PATH}/a`);
  t.is(deleted.status, 200);
  t.is(deleted.body.kind, 'PodTemplate');
  t.deepEqual(names(await server.get('/api/v1/podtemplates')), []);
});

test('PodTemplates go by their labels', async (t) => {
  const server = await startTestServer(t);
  for (const name of ['a', 'b']) await server.post(PATH, podTemplate(name, { set: 'one' }));
  await server.post(PATH, podTemplate('c', { set: 'two' }));
  t.is((await server.remove(`${PATH}?labelSelector=set%3Done`)).status, 200);
  t.deepEqual(names(await server.get(PATH)), ['c']);
});

test('the table of PodTemplates', async (t) => {
  const server = await startTestServer(t);
  await server.post(PATH, podTemplate('a', { set: 'one' }));
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const { body } = await server.get(PATH, { headers });
  t.deepEqual(
    (body.columnDefinitions as { name: string }[]).map(({ name }) => name),
    ['Name', 'Containers', 'Images', 'Pod Labels'],
  );
  t.deepEqual(body.rows[0].cells, ['a', 'main,side', 'busybox:1,busybox:2', 'app=web,set=one']);
});

test('a template is warned of when it is new or changed', async (t) => {
  const server = await startTestServer(t);
  const template = {
    spec: { containers: [{ name: 'main', image: 'busybox' }], hostAliases: [] as object[] },
  };
  template.spec.hostAliases = [{ ip: '1.1.1.1' }, { ip: '1.1.1.1' }];
  const words = '299 - "template.spec.hostAliases[1].ip: duplicate ip \\"1.1.1.1\\""';
  const made = await server.post(PATH, { metadata: { name: 'a' }, template });
  t.is(made.headers.warning, words);
  const labelled = await server.patch(`${PATH}/a`, { metadata: { labels: { x: 'y' } } });
  t.is(labelled.headers.warning, undefined);
  const changed = await server.patch(`${PATH}/a`, { template: { spec: { hostname: 'h' } } });
  t.is(changed.headers.warning, words);
});

test('kubectl knows PodTemplates', async (t) => {
  const server = await startTestServer(t);
  await server.post(PATH, podTemplate('a'));
  const explained = await server.kubectl(['explain', 'podtemplate.template.spec.containers']);
  t.is(explained.code, 0, explained.stderr);
  t.regex(explained.stdout, /KIND: +PodTemplate\n/);
  const shown = await server.kubectl(['get', 'podtemplates']);
  t.regex(
    shown.stdout,
    /^NAME +CONTAINERS +IMAGES +POD LABELS\na +main,side +busybox:1,busybox:2 +app=web\n$/,
  );
  const described = await server.kubectl(['describe', 'podtemplate', 'a']);
  t.is(described.code, 0, described.stderr);
  t.regex(described.stdout, /^Name: +a\n/);
});
