import test from 'ava';
import type { StructuralSchema } from '../../../../api/custom-resources/structural-schema.ts';
import { validateAgainstSchema } from '../../../../api/custom-resources/validation/schema.ts';
import { fieldErrorText } from '../../../../api/validation/field-error.ts';

const textsOf = (schema: StructuralSchema, value: unknown, old?: unknown): string[] =>
  validateAgainstSchema({
    value: { spec: value },
    schema: { type: 'object', properties: { spec: schema } },
    ...(old !== undefined && { old: { value: { spec: old } } }),
  }).map(fieldErrorText);

const CASES: [name: string, schema: StructuralSchema, value: unknown, texts: string[]][] = [
  [
    'type',
    { type: 'object' },
    'x',
    ['spec: Invalid value: "string": spec in body must be of type object: "string"'],
  ],
  [
    'null',
    { type: 'string' },
    null,
    ['spec: Invalid value: "null": spec in body must be of type string: "null"'],
  ],
  ['nullable', { type: 'string', nullable: true }, null, []],
  ['integer for number', { type: 'number' }, 1, []],
  [
    'number for integer',
    { type: 'integer' },
    1.5,
    ['spec: Invalid value: "number": spec in body must be of type integer: "number"'],
  ],
  [
    'int32',
    { type: 'integer', format: 'int32' },
    2 ** 31,
    ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec'],
  ],
  ['int-or-string', { 'x-kubernetes-int-or-string': true }, 'a', []],
  [
    'minLength in characters',
    { type: 'string', minLength: 2 },
    'é',
    ['spec: Invalid value: "é": spec in body should be at least 2 chars long'],
  ],
  ['maxLength', { type: 'string', maxLength: 1 }, 'ab', ['spec: Too long: may not be more than 1 byte']],
  [
    'pattern',
    { type: 'string', pattern: '^[[:alpha:]]+$' },
    'a1',
    ['spec: Invalid value: "a1": spec in body should match \'^[[:alpha:]]+$\''],
  ],
  [
    'exclusive bounds',
    { type: 'number', minimum: 1, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: true },
    1,
    [
      'spec: Invalid value: 1: spec in body should be less than 1',
      'spec: Invalid value: 1: spec in body should be greater than 1',
    ],
  ],
  ['multipleOf', { type: 'number', multipleOf: 0.1 }, 0.3, []],
  [
    'no multipleOf',
    { type: 'integer', multipleOf: 2 },
    3,
    ['spec: Invalid value: 3: spec in body should be a multiple of 2'],
  ],
  [
    'enum of numbers',
    { type: 'integer', enum: [1, 2] },
    3,
    ['spec: Unsupported value: 3: supported values: "1", "2"'],
  ],
  [
    'minItems',
    { type: 'array', minItems: 1, items: { type: 'string' } },
    [],
    ['spec: Invalid value: 0: spec in body should have at least 1 items'],
  ],
  [
    'items',
    { type: 'array', items: { type: 'string' } },
    ['a', 1],
    ['spec[1]: Invalid value: "integer": spec[1] in body must be of type string: "integer"'],
  ],
  [
    'properties',
    { type: 'object', minProperties: 1, additionalProperties: { type: 'string' } },
    {},
    ['spec: Invalid value: 0: spec in body should have at least 1 properties'],
  ],
  [
    'too many properties',
    { type: 'object', maxProperties: 1, additionalProperties: { type: 'string' } },
    { a: 'a', b: 'b' },
    ['spec: Too many: 2: must have at most 1 item'],
  ],
  [
    'required',
    { type: 'object', required: ['a'], properties: { a: { type: 'string' } } },
    {},
    ['spec.a: Required value'],
  ],
  [
    'format',
    { type: 'string', format: 'date-time' },
    'x',
    ['spec: Invalid value: "x": spec in body must be of type date-time: "x"'],
  ],
  [
    'format of another type',
    { type: 'string', format: 'date-time' },
    1,
    ['spec: Invalid value: "int64": spec in body must be of type date-time: "int64"'],
  ],
  ['unknown format', { type: 'string', format: 'color' }, 'x', []],
];

test('a value is held to its schema in upstream words', (t) => {
  for (const [name, schema, value, texts] of CASES) t.deepEqual(textsOf(schema, value), texts, name);
});

const EITHER: StructuralSchema = {
  type: 'object',
  properties: { a: { type: 'string' }, b: { type: 'integer' } },
};

test('anyOf, oneOf, allOf and not tell the alternative that comes nearest', (t) => {
  const any = {
    ...EITHER,
    anyOf: [{ required: ['a'] }, { required: ['b'], properties: { b: { minimum: 1 } } }],
  };
  t.deepEqual(textsOf(any, { b: 1 }), []);
  t.deepEqual(textsOf(any, { b: 0 }), [
    '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
    'spec.b: Invalid value: 0: spec.b in body should be greater than or equal to 1',
  ]);
  const one = { ...EITHER, oneOf: [{ required: ['a'] }, { required: ['b'] }] };
  t.deepEqual(textsOf(one, { a: 'x' }), []);
  t.deepEqual(textsOf(one, { a: 'x', b: 1 }), [
    '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ]);
  t.deepEqual(textsOf(one, {}), [
    '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid',
    'spec.a: Required value',
  ]);
  t.deepEqual(textsOf({ ...EITHER, allOf: [{ required: ['a'] }] }, {}), [
    'spec.a: Required value',
    '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf). None validated',
  ]);
  t.deepEqual(textsOf({ ...EITHER, not: { required: ['a'] } }, { a: 'x' }), [
    '<nil>: Invalid value: "": "spec" must not validate the schema (not)',
  ]);
});

test('an update may keep what was wrong, item by item where items have keys', (t) => {
  const item: StructuralSchema = {
    type: 'object',
    properties: { name: { type: 'string' }, size: { type: 'integer', maximum: 1 } },
  };
  const list: StructuralSchema = { type: 'array', items: item };
  const keyed: StructuralSchema = {
    ...list,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  };
  const old = [{ name: 'a', size: 5 }];
  const changed = [{ name: 'b', size: 1 }, ...old];
  t.deepEqual(textsOf(keyed, changed, old), []);
  t.deepEqual(textsOf(list, old, old), []);
  t.deepEqual(textsOf(list, changed, old), [
    'spec[1].size: Invalid value: 5: spec[1].size in body should be less than or equal to 1',
  ]);
});
