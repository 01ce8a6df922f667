import test from 'ava';
import type { CustomResourceDefinition } from '../../../api/types.ts';
import { until } from '../../environment.ts';
import type { TestServer } from '../test-server.ts';
import { startTestServer } from '../test-server.ts';
import { definitionOf, DEFINITIONS, versionOf, widget, WIDGETS } from './definitions.ts';

const NAME = 'widgets.example.com';
const PATH = `${DEFINITIONS}/${NAME}`;

const conditionsOf = (definition: CustomResourceDefinition): Record<string, string> =>
  Object.fromEntries(
    (definition.status?.conditions ?? []).map(({ type, status, reason }) => [
      type,
      `${status} ${reason ?? ''}`,
    ]),
  );

const read = async (server: TestServer, path = PATH): Promise<CustomResourceDefinition> =>
  (await server.get(path)).body as CustomResourceDefinition;

test('a definition is accepted, and its objects are served as soon as it is made', async (t) => {
  const server = await startTestServer(t);
  t.is((await server.get(WIDGETS)).status, 404);
  const made = await server.post(DEFINITIONS, definitionOf());
  t.is(made.status, 201, made.text);
  t.is((await server.post(WIDGETS, widget('one', { size: 1 }))).status, 201);
  const list = await server.get(WIDGETS);
  t.like(list.body, {
    apiVersion: 'example.com/v1',
    kind: 'WidgetList',
    items: [{ metadata: { name: 'one' } }],
  });

  const definition = await read(server);
  t.deepEqual(conditionsOf(definition), {
    NamesAccepted: 'True NoConflicts',
    Established: 'True InitialNamesAccepted',
  });
  t.deepEqual(definition.status?.storedVersions, ['v1']);
  const names = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' };
  t.deepEqual(definition.status?.acceptedNames, names);
  t.deepEqual(definition.spec.names, names);
  t.deepEqual(definition.spec.conversion, { strategy: 'None' });
});

const DISCOVERY = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

test('discovery tells of it, best version first, and forgets it', async (t) => {
  const server = await startTestServer(t);
  const v2 = versionOf(undefined, { name: 'v2', storage: false });
  const beta = versionOf(undefined, { name: 'v2beta1', storage: false, subresources: {} });
  const old = versionOf(undefined, { name: 'v0', storage: false, served: false });
  const definition = definitionOf([versionOf(), beta, old, v2]);
  definition.spec.names = { ...definition.spec.names, shortNames: ['wd'], categories: ['all'] };
  await server.post(DEFINITIONS, definition);
  const group = await server.get('/apis/example.com');
  t.deepEqual(
    group.body.versions.map(({ version }: { version: string }) => version),
    ['v2', 'v1', 'v2beta1'],
  );
  const resources = await server.get('/apis/example.com/v1');
  t.like(resources.body.resources, [
    {
      name: 'widgets',
      singularName: 'widget',
      namespaced: true,
      kind: 'Widget',
      shortNames: ['wd'],
      categories: ['all'],
    },
    { name: 'widgets/status', kind: 'Widget', verbs: ['get', 'patch', 'update'] },
  ]);
  t.is((await server.get('/apis/example.com/v0')).status, 404);
  t.is((await server.get(WIDGETS.replace('v1', 'v0'))).status, 404);
  t.is((await server.get(`${WIDGETS.replace('v1', 'v2beta1')}/x/status`)).status, 404);
  const aggregated = await server.get('/apis', { headers: { accept: DISCOVERY } });
  const found = aggregated.body.items.find(
    (item: { metadata: { name: string } }) => item.metadata.name === 'example.com',
  );
  t.is(found.versions.length, 3);

  await server.remove(PATH);
  t.is((await server.get('/apis/example.com')).status, 404);
  t.false((await server.get('/apis', { headers: { accept: DISCOVERY } })).text.includes('example.com'));
  t.is((await server.get('/openapi/v3/apis/example.com/v1')).status, 404);
});

test('names that another definition has are refused until they are free', async (t) => {
  const server = await startTestServer(t);
  await server.post(DEFINITIONS, definitionOf());
  await server.post(DEFINITIONS, definitionOf(undefined, { plural: 'gadgets' }));
  const gadgets = `${DEFINITIONS}/gadgets.example.com`;
  const refused = await read(server, gadgets);
  t.deepEqual(conditionsOf(refused), {
    NamesAccepted: 'False ListKindConflict',
    Established: 'False NotAccepted',
  });
  t.is(refused.status?.conditions?.[0]?.message, '"WidgetList" is already in use');
  t.is((await server.get('/apis/example.com/v1/gadgets')).status, 404);

  await server.remove(PATH);
  await until(
    'the other definition has the names',
    async () => conditionsOf(await read(server, gadgets))['Established'] === 'True InitialNamesAccepted',
  );
  t.is((await server.get('/apis/example.com/v1/gadgets')).status, 200);
});

test('objects go before their definition, those with finalizers when they may', async (t) => {
  const server = await startTestServer(t);
  await server.post(DEFINITIONS, definitionOf());
  await server.post(WIDGETS, widget('free'));
  await server.post(WIDGETS, widget('held', {}, { finalizers: ['example.com/hold'] }));
  const deleted = await server.remove(PATH);
  t.is(deleted.status, 200);
  t.like(deleted.body, { metadata: { finalizers: ['customresourcecleanup.apiextensions.k8s.io'] } });
  t.is(conditionsOf(deleted.body)['Terminating'], 'True InstanceDeletionPending');
  t.is(conditionsOf(await read(server))['Terminating'], 'True InstanceDeletionInProgress');

  t.is((await server.get(`${WIDGETS}/free`)).status, 404);
  const refused = await server.post(WIDGETS, widget('late'));
  t.is(refused.status, 403);
  t.is(
    refused.body.message,
    'widgets.example.com "late" is forbidden: create not allowed while custom resource definition is terminating',
  );
  const held = await server.patch(`${WIDGETS}/held`, { metadata: { finalizers: null } });
  t.is(held.status, 200, held.text);
  await until('the definition is gone', async () => (await server.get(PATH)).status === 404);
  t.is((await server.get(WIDGETS)).status, 404);

  t.is((await server.post(DEFINITIONS, definitionOf())).status, 201);
  t.deepEqual((await server.get(WIDGETS)).body.items, []);
});

test('objects and definitions outlive the server', async (t) => {
  const server = await startTestServer(t);
  await server.post(DEFINITIONS, definitionOf());
  await server.post(WIDGETS, widget('one', { size: 1 }));
  await server.restart();
  t.like((await server.get(`${WIDGETS}/one`)).body, { spec: { size: 1 } });
  t.is((await server.get('/openapi/v3/apis/example.com/v1')).status, 200);
});

test('a changed schema counts at once, and ends the watches of the old one', async (t) => {
  const server = await startTestServer(t);
  await server.post(
    DEFINITIONS,
    definitionOf([versionOf({ type: 'object', properties: { a: { type: 'string' } } })]),
  );
  await server.post(WIDGETS, widget('old', { a: 'x', b: 'y' }));
  const watch = await server.watch(`${WIDGETS}?watch=true`);
  t.like(await watch.next(), { type: 'ADDED', object: { spec: { a: 'x' } } });

  const properties = { a: { type: 'string' }, b: { type: 'string' }, c: { type: 'string', default: 'z' } };
  const definition = await read(server);
  definition.spec.versions = [versionOf({ type: 'object', properties })];
  const changed = await server.put(PATH, definition);
  t.is(changed.status, 200, changed.text);
  t.is(changed.body.metadata.generation, 2);
  t.is(await watch.next(), undefined);
  t.deepEqual((await server.post(WIDGETS, widget('new', { b: 'y' }))).body.spec, { b: 'y', c: 'z' });
  t.deepEqual((await server.get(`${WIDGETS}/old`)).body.spec, { a: 'x', c: 'z' });
  t.deepEqual((await server.get(WIDGETS)).body.items[1].spec, { a: 'x', c: 'z' });
});

test('each version shows the objects of all', async (t) => {
  const server = await startTestServer(t);
  const v1 = versionOf({ type: 'object', properties: { a: { type: 'string' } } });
  const v2 = versionOf(
    { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string', default: 'new' } } },
    { name: 'v2', storage: false },
  );
  await server.post(DEFINITIONS, definitionOf([v1, v2]));
  await server.post(WIDGETS, widget('one', { a: 'x' }));
  const second = WIDGETS.replace('v1', 'v2');
  t.like((await server.get(`${second}/one`)).body, {
    apiVersion: 'example.com/v2',
    spec: { a: 'x', b: 'new' },
  });
  await server.patch(`${second}/one`, { spec: { b: 'kept' } });
  t.deepEqual((await server.get(`${WIDGETS}/one`)).body.spec, { a: 'x' });

  const definition = await read(server);
  definition.spec.versions = [
    { ...v1, storage: false, deprecated: true },
    { ...v2, storage: true },
  ];
  t.deepEqual((await server.put(PATH, definition)).body.status.storedVersions, ['v1', 'v2']);
  const answer = await server.get(`${WIDGETS}/one`);
  t.is(answer.headers.warning, '299 - "example.com/v1 Widget is deprecated; use example.com/v2 Widget"');
  definition.spec.versions = [{ ...v2, storage: true }];
  const refused = await server.put(PATH, { ...definition, metadata: (await read(server)).metadata });
  t.is(refused.status, 422);
  t.regex(
    refused.body.message,
    /status.storedVersions\[0\]: Invalid value: "v1": missing from spec.versions; v1 was previously/,
  );
});

test('versions that a webhook would convert are not served', async (t) => {
  const server = await startTestServer(t);
  const definition = definitionOf([versionOf(), versionOf(undefined, { name: 'v2', storage: false })]);
  const clientConfig = { url: 'https://example.com/convert' };
  definition.spec.conversion = {
    strategy: 'Webhook',
    webhook: { clientConfig, conversionReviewVersions: ['v1'] },
  };
  const made = await server.post(DEFINITIONS, definition);
  t.is(made.status, 201, made.text);
  t.is(
    made.headers.warning,
    '299 - "conversion webhooks are not called by this server: only the storage version v1 is served, not v2"',
  );
  t.is((await server.get(WIDGETS)).status, 200);
  t.is((await server.get(WIDGETS.replace('v1', 'v2'))).status, 404);
});

test('objects go with their definition even when no version is served', async (t) => {
  const server = await startTestServer(t);
  await server.post(DEFINITIONS, definitionOf());
  await server.post(WIDGETS, widget('one'));
  const definition = await read(server);
  definition.spec.versions = [versionOf(undefined, { served: false })];
  t.is((await server.put(PATH, definition)).status, 200);
  t.is((await server.get(WIDGETS)).status, 404);
  await server.restart();
  await server.remove(PATH);
  t.is((await server.get(PATH)).status, 404);
  await server.post(DEFINITIONS, definitionOf());
  t.deepEqual((await server.get(WIDGETS)).body.items, []);
});

test('groups of the community need an approval', async (t) => {
  const server = await startTestServer(t);
  const definition = definitionOf();
  definition.spec.group = 'example.k8s.io';
  const metadata = { name: 'widgets.example.k8s.io' };
  const refused = await server.post(DEFINITIONS, { ...definition, metadata });
  t.is(refused.status, 422);
  t.deepEqual(refused.body.details.causes, [
    {
      reason: 'FieldValueRequired',
      message:
        'Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      field: 'metadata.annotations[api-approved.kubernetes.io]',
    },
  ]);
  const annotations = { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/enhancements/pull/1' };
  await server.post(DEFINITIONS, { ...definition, metadata: { ...metadata, annotations } });
  const made = await read(server, `${DEFINITIONS}/widgets.example.k8s.io`);
  t.is(conditionsOf(made)['KubernetesAPIApprovalPolicyConformant'], 'True ApprovedAnnotation');
});

test('a definition cannot take the place of a built-in kind', async (t) => {
  const server = await startTestServer(t);
  const beta = versionOf(undefined, { name: 'v1beta1', storage: false });
  const definition = definitionOf([versionOf(), beta], { plural: 'storageclasses', kind: 'StorageClass' });
  definition.spec.group = 'storage.k8s.io';
  const annotations = { 'api-approved.kubernetes.io': 'unapproved, a test' };
  definition.metadata = { name: 'storageclasses.storage.k8s.io', annotations };
  t.is((await server.post(DEFINITIONS, definition)).status, 201);
  const path = '/apis/storage.k8s.io/v1/storageclasses';
  t.is((await server.post(path, { metadata: { name: 'a' }, provisioner: 'x' })).body.reclaimPolicy, 'Delete');
  t.is((await server.get(path.replace('v1', 'v1beta1'))).status, 404);
  await server.remove(`${DEFINITIONS}/storageclasses.storage.k8s.io`);
  t.is((await server.get(`${path}/a`)).status, 200);
});
