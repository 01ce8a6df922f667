import test from 'ava';
import { applySchemaDefaults } from '../../../api/custom-resources/defaulting.ts';
import { pruneObject } from '../../../api/custom-resources/prune.ts';
import type { StructuralSchema } from '../../../api/custom-resources/structural-schema.ts';

const KEEP = { 'x-kubernetes-preserve-unknown-fields': true } as const;
const TEXT: StructuralSchema = { type: 'string' };

const PRUNED: [name: string, schema: StructuralSchema, value: unknown, kept: unknown, unknown: string[]][] = [
  ['fields', { type: 'object', properties: { a: TEXT } }, { a: 'x', b: 1 }, { a: 'x' }, ['spec.b']],
  [
    'items',
    { type: 'array', items: { type: 'object', properties: { a: TEXT } } },
    [{ a: 'x', b: 1 }, 'y'],
    [{ a: 'x' }, 'y'],
    ['spec[0].b'],
  ],
  ['no schema', { type: 'object' }, { a: 1 }, {}, ['spec.a']],
  [
    'maps',
    { type: 'object', additionalProperties: { type: 'object' } },
    { a: { b: 1 } },
    { a: {} },
    ['spec.a.b'],
  ],
  ['kept', { type: 'object', ...KEEP }, { a: { b: [1] } }, { a: { b: [1] } }, []],
  [
    'kept but for what is known',
    { type: 'object', ...KEEP, properties: { a: { type: 'object' } } },
    { a: { b: 1 }, c: { d: 1 } },
    { a: {}, c: { d: 1 } },
    ['spec.a.b'],
  ],
  [
    'a list that keeps',
    { type: 'array', ...KEEP, items: { type: 'object', properties: { a: TEXT } } },
    [{ b: 1 }],
    [{ b: 1 }],
    [],
  ],
  [
    'embedded',
    { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
    { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec: { a: 1 } },
    { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec: {} },
    ['spec.spec.a'],
  ],
];

test('what the schema does not know is dropped and told', (t) => {
  for (const [name, spec, value, kept, expected] of PRUNED) {
    const unknown: string[] = [];
    const object = { apiVersion: 'v1', kind: 'X', metadata: { any: 1 }, spec: value };
    const pruned = pruneObject(object, { type: 'object', properties: { spec } }, (path) =>
      unknown.push(path),
    );
    t.deepEqual(pruned, { ...object, spec: kept }, name);
    t.deepEqual(unknown, expected, name);
  }
});

test('defaults are filled in from the outside in; a null counts as absent where it may not be', (t) => {
  const schema: StructuralSchema = {
    type: 'object',
    properties: {
      a: { type: 'object', default: {}, properties: { b: { type: 'integer', default: 1 } } },
      list: { type: 'array', items: { type: 'object', properties: { c: { type: 'string', default: 'x' } } } },
      map: { type: 'object', additionalProperties: { type: 'string', default: 'd' } },
      gone: TEXT,
      kept: { type: 'string', nullable: true, default: 'y' },
      filled: { type: 'string', default: 'z' },
    },
  };
  const value = { list: [{}, { c: 'own' }], map: { k: null }, gone: null, kept: null, filled: null };
  applySchemaDefaults(value, schema);
  t.deepEqual(value as unknown, {
    a: { b: 1 },
    list: [{ c: 'x' }, { c: 'own' }],
    map: { k: 'd' },
    kept: null,
    filled: 'z',
  });
  const other = {};
  applySchemaDefaults(other, schema);
  t.deepEqual(other, { a: { b: 1 }, kept: 'y', filled: 'z' });
});
