import test from 'ava';
import type { JSONSchemaProps } from '../../../api/types.ts';
import type { TestServer } from '../test-server.ts';
import { startTestServer } from '../test-server.ts';
import { definitionOf, DEFINITIONS, versionOf } from './definitions.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

const SPEC: JSONSchemaProps = {
  type: 'object',
  description: 'What is wanted.',
  properties: {
    target: { 'x-kubernetes-int-or-string': true },
    maybe: { type: 'string', nullable: true },
    free: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { a: { type: 'string' } },
    },
    either: { type: 'string', anyOf: [{ minLength: 1 }, { pattern: 'x' }] },
    template: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      properties: { spec: { type: 'object' } },
    },
  },
  required: ['maybe', 'target'],
};

const hashOf = async (server: TestServer): Promise<string | undefined> => {
  const { body } = await server.get('/openapi/v3');
  return body.paths['apis/example.com/v1']?.serverRelativeURL;
};

test('version 3 tells the schema as it is, with metadata and type', async (t) => {
  const server = await startTestServer(t);
  t.is(await hashOf(server), undefined);
  await server.post(DEFINITIONS, definitionOf([versionOf(SPEC)]));
  const url = await hashOf(server);
  const { schemas } = (await server.get(url ?? '')).body.components;
  const widget = schemas['com.example.v1.Widget'];
  const reference = [{ $ref: `#/components/schemas/${META}` }];
  t.deepEqual(widget['x-kubernetes-group-version-kind'], [
    { group: 'example.com', version: 'v1', kind: 'Widget' },
  ]);
  t.deepEqual(widget.properties.metadata.allOf, reference);
  t.is(widget.properties.kind.type, 'string');
  const { spec } = widget.properties;
  t.is(spec.description, 'What is wanted.');
  t.deepEqual(spec.required, SPEC.required);
  t.deepEqual(spec.properties.target.anyOf, [{ type: 'integer' }, { type: 'string' }]);
  t.deepEqual(spec.properties.maybe, { type: 'string', nullable: true });
  t.deepEqual(spec.properties.template.properties.metadata.allOf, reference);
  t.deepEqual(spec.properties.template.required, ['kind', 'apiVersion']);
  const list = schemas['com.example.v1.WidgetList'];
  t.deepEqual(list.properties.items.items, {
    allOf: [{ $ref: '#/components/schemas/com.example.v1.Widget' }],
  });
  t.truthy(schemas[META]);

  const definition = (await server.get(`${DEFINITIONS}/widgets.example.com`)).body;
  definition.spec.versions = [versionOf({ type: 'object' })];
  await server.put(`${DEFINITIONS}/widgets.example.com`, definition);
  t.not(await hashOf(server), url);
});

test('version 2 leaves out what it has no words for', async (t) => {
  const server = await startTestServer(t);
  await server.post(DEFINITIONS, definitionOf([versionOf(SPEC)]));
  const read = async () => (await server.get('/openapi/v2')).body.definitions;
  const { spec, metadata } = (await read())['com.example.v1.Widget'].properties;
  t.is(metadata.$ref, `#/definitions/${META}`);
  t.deepEqual(spec.required, ['target']);
  t.deepEqual(spec.properties.maybe, {});
  t.deepEqual(spec.properties.free, { 'x-kubernetes-preserve-unknown-fields': true });
  t.deepEqual(spec.properties.either, { type: 'string' });
  await server.remove(`${DEFINITIONS}/widgets.example.com`);
  t.is((await read())['com.example.v1.Widget'], undefined);
});
