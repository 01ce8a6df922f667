import test from 'ava';
import {
  builtInKinds,
  definitionNameFor,
  definitionOf,
  openApiV3SchemasReachableFrom,
  resolveSchema,
  schemaFor,
  schemasReachableFrom,
} from '../../api/openapi.ts';
import type { Schema } from '../../api/openapi.ts';

test('kinds are found by group, version and kind', (t) => {
  t.is(definitionNameFor('', 'v1', 'Pod'), 'io.k8s.api.core.v1.Pod');
  t.is(definitionNameFor('apps', 'v1', 'Deployment'), 'io.k8s.api.apps.v1.Deployment');
  t.is(definitionNameFor('events.k8s.io', 'v1', 'Event'), 'io.k8s.api.events.v1.Event');
  t.is(definitionNameFor('', 'v1', 'Event'), 'io.k8s.api.core.v1.Event');
  t.is(definitionNameFor('policy', 'v1', 'Eviction'), 'io.k8s.api.policy.v1.Eviction');
  t.is(definitionNameFor('autoscaling', 'v1', 'Scale'), 'io.k8s.api.autoscaling.v1.Scale');
  t.is(schemaFor('', 'v1', 'Missing'), undefined);
  t.true(builtInKinds().length > 150);
});

test('fields have their types, formats and references', (t) => {
  const container = definitionOf('io.k8s.api.core.v1.Container')?.properties ?? {};
  t.like(container['env'], {
    type: 'array',
    items: { $ref: '#/definitions/io.k8s.api.core.v1.EnvVar' },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge',
  });
  t.like(container['args'], { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'atomic' });
  const port = definitionOf('io.k8s.api.core.v1.ContainerPort');
  t.like(port?.properties?.['containerPort'], { type: 'integer', format: 'int32' });
  t.deepEqual(port?.required, ['containerPort']);
  const limits = definitionOf('io.k8s.api.core.v1.ResourceRequirements')?.properties?.['limits'];
  t.deepEqual(limits?.additionalProperties, {
    $ref: '#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity',
  });
  const created = definitionOf('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')?.properties?.[
    'creationTimestamp'
  ];
  t.is(created?.$ref, '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.Time');
  t.like(definitionOf('io.k8s.api.core.v1.Secret')?.properties?.['data'], {
    additionalProperties: { type: 'string', format: 'byte' },
  });
});

test('every field has a description, as kubectl explain shows it', (t) => {
  const schema = resolveSchema(schemaFor('', 'v1', 'Pod')?.properties?.['spec'] ?? {});
  for (const [name, field] of Object.entries(schema.properties ?? {})) t.truthy(field.description, name);
});

test('every reference leads to a definition', (t) => {
  const all = schemasReachableFrom(
    builtInKinds().map(({ group, version, kind }) => definitionNameFor(group, version, kind) ?? ''),
  );
  const missing = Object.entries(all).flatMap(([name, schema]) =>
    referencesIn(schema)
      .filter((reference) => definitionOf(reference) === undefined)
      .map((reference) => `${name} → ${reference}`),
  );
  t.deepEqual(missing, []);
});

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = '$ref' in value && typeof value.$ref === 'string' ? [value.$ref] : [];
  return [...own, ...Object.values(value).flatMap(referencesIn)];
}

test('the third version of OpenAPI puts references into allOf and alternatives into oneOf', (t) => {
  const schemas = openApiV3SchemasReachableFrom(['io.k8s.api.core.v1.Service']);
  const field = schemas['io.k8s.api.core.v1.Service']?.properties?.['spec'] as Schema;
  t.deepEqual(field.allOf, [{ $ref: '#/components/schemas/io.k8s.api.core.v1.ServiceSpec' }]);
  t.is(field.$ref, undefined);
  const alternatives = schemas['io.k8s.apimachinery.pkg.util.intstr.IntOrString'];
  t.deepEqual(alternatives?.oneOf, [{ type: 'integer' }, { type: 'string' }]);
  t.is(alternatives?.type, undefined);
  t.false(JSON.stringify(schemas).includes('#/definitions/'));
});
