import test from 'ava';
import { encodeDefinition, json } from '../protobuf/custom-resource-definition.ts';
import { until } from '../../environment.ts';
import { startTestServer } from '../test-server.ts';
import { DEFINITIONS, widget, WIDGETS } from './definitions.ts';

const NAME = 'widgets.example.com';
const PATH = `${DEFINITIONS}/${NAME}`;
const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };

const spec = { type: 'object', properties: { size: { type: 'integer', default: json(0) } } };
const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } };
const version = (name: string, more: object) => ({ name, schema, subresources: { status: {} }, ...more });
const versions = [
  version('v1', { served: true, storage: true, selectableFields: [{ jsonPath: '.spec.size' }] }),
  version('v2', { served: false, storage: false, deprecated: true, deprecationWarning: 'not yet' }),
];
const names = { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] };

test('Go clients create, update and mark a definition in protobuf', async (t) => {
  const server = await startTestServer(t);
  const definition = {
    metadata: { name: NAME },
    spec: { group: 'example.com', scope: 'Namespaced', names, versions, preserveUnknownFields: false },
  };
  const made = await server.post(DEFINITIONS, encodeDefinition(definition), { headers });
  t.is(made.status, 201, made.text);
  const property = { type: 'integer', default: 0 };
  const openAPIV3Schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { size: property } } },
  };
  t.deepEqual(made.body.spec, {
    group: 'example.com',
    names: { ...names, singular: 'widget', listKind: 'WidgetList' },
    scope: 'Namespaced',
    versions: [
      { ...versions[0], schema: { openAPIV3Schema } },
      { ...versions[1], schema: { openAPIV3Schema } },
    ],
    conversion: { strategy: 'None' },
  });
  t.is((await server.post(WIDGETS, widget('one'))).status, 201);
  t.deepEqual((await server.get(`${WIDGETS}/one`)).body.spec, { size: 0 });

  const { resourceVersion } = (await server.get(PATH)).body.metadata;
  const metadata = { name: NAME, resourceVersion };
  const changed = { ...definition.spec, names: { ...names, categories: ['all'] } };
  const updated = await server.put(PATH, encodeDefinition({ metadata, spec: changed }), { headers });
  t.is(updated.status, 200, updated.text);
  t.deepEqual(updated.body.spec.names.categories, ['all']);

  const marked = await until('the status to be written', async () => {
    const { body } = await server.get(PATH);
    const condition = { type: 'Checked', status: 'True', lastTransitionTime: { seconds: 1_700_000_000 } };
    const status = { conditions: [condition], acceptedNames: changed.names, storedVersions: ['v1'] };
    const { resourceVersion: newest } = body.metadata as { resourceVersion: string };
    const message = { metadata: { name: NAME, resourceVersion: newest }, spec: changed, status };
    const answer = await server.put(`${PATH}/status`, encodeDefinition(message), { headers });
    return answer.status === 409 ? undefined : answer;
  });
  t.is(marked.status, 200, marked.text);
  t.deepEqual(marked.body.status.conditions[0], {
    type: 'Checked',
    status: 'True',
    lastTransitionTime: '2023-11-14T22:13:20Z',
  });
});

test('a conversion webhook in protobuf', async (t) => {
  const server = await startTestServer(t);
  const service = { namespace: 'default', name: 'hook', path: '/convert' };
  const conversion = (clientConfig: object) => ({
    strategy: 'Webhook',
    webhook: { clientConfig, conversionReviewVersions: ['v1'] },
  });
  const spec = { group: 'example.com', scope: 'Namespaced', names, versions };
  const definition = {
    metadata: { name: NAME },
    spec: { ...spec, conversion: conversion({ service, caBundle: Buffer.from('authority') }) },
  };
  const made = await server.post(DEFINITIONS, encodeDefinition(definition), { headers });
  t.is(made.status, 201, made.text);
  const caBundle = Buffer.from('authority').toString('base64');
  t.deepEqual(made.body.spec.conversion, conversion({ service: { ...service, port: 443 }, caBundle }));
});
