import test from 'ava';
import { RuleValidator } from '../../../../api/custom-resources/cel/validator.ts';
import { compileRules } from '../../../../api/custom-resources/definition/compile-rules.ts';
import type { StructuralSchema } from '../../../../api/custom-resources/structural-schema.ts';
import type { ValidationRule } from '../../../../api/types.ts';
import { fieldErrorText } from '../../../../api/validation/field-error.ts';

const withRules = (schema: StructuralSchema, ...rules: ValidationRule[]): StructuralSchema => ({
  ...schema,
  'x-kubernetes-validations': rules,
});

const root = (spec: StructuralSchema): StructuralSchema => ({ type: 'object', properties: { spec } });

const SPEC: StructuralSchema = {
  type: 'object',
  properties: {
    replicas: { type: 'integer' },
    minimum: { type: 'integer' },
    ratio: { type: 'number' },
    name: { type: 'string' },
    namespace: { type: 'string' },
    'a-b.c': { type: 'string' },
    port: { 'x-kubernetes-int-or-string': true },
    start: { type: 'string', format: 'date-time' },
    wait: { type: 'string', format: 'duration' },
    bytes: { type: 'string', format: 'byte' },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    ports: {
      type: 'array',
      items: { type: 'object', properties: { name: { type: 'string' }, number: { type: 'integer' } } },
    },
    source: { type: 'object', properties: { handle: { type: 'string' } } },
    maybe: { type: 'string', nullable: true },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
};

const textsOf = (schema: StructuralSchema, value: unknown, old?: unknown): string[] =>
  new RuleValidator(schema).validate(value, old).map(fieldErrorText);

const FULL = {
  replicas: 3,
  minimum: 1,
  ratio: 0.5,
  name: 'web',
  namespace: 'default',
  'a-b.c': 'x',
  port: 80,
  start: '2026-01-01T00:00:00Z',
  wait: '90m',
  bytes: 'aGk=',
  labels: { app: 'web' },
  ports: [{ name: 'http', number: 80 }],
  source: { handle: 'h' },
  maybe: null,
};

const HOLDING = [
  'self.minimum <= self.replicas && self.ratio < 1.0',
  "self.__namespace__ == 'default' && self.a__dash__b__dot__c == 'x'",
  "type(self.port) == int ? self.port < 100 : self.port.endsWith('%')",
  "self.start < timestamp('2027-01-01T00:00:00Z') && self.wait == duration('1h30m')",
  "self.bytes == b'hi' && self.labels.all(k, self.labels[k] != '') && 'app' in self.labels",
  'self.ports.all(p, self.ports.exists_one(q, q.name == p.name)) && self.ports.map(p, p.number).sum() == 80',
  "has(self.source) && self.source.handle == 'h' && self.source == self.source",
  'self.maybe == null && has(self.maybe)',
  "self.?source.?handle.orValue('') == 'h' && has(self.ports[0].name)",
];

test('rules see values by the types of the schema', (t) => {
  for (const rule of HOLDING) {
    const schema = root(withRules(SPEC, { rule }));
    t.deepEqual(compileRules(schema, 'schema').map(fieldErrorText), [], rule);
    t.deepEqual(textsOf(schema, { spec: FULL }), [], rule);
  }
});

test('a failed rule tells its field, message and reason', (t) => {
  const schema = root(
    withRules(
      SPEC,
      { rule: 'self.replicas > 5' },
      { rule: 'self.replicas > 5', message: ' too few ' },
      { rule: 'self.replicas > 5', messageExpression: "'have ' + string(self.replicas)" },
      {
        rule: 'self.replicas > 5',
        message: 'forbidden',
        reason: 'FieldValueForbidden',
        fieldPath: '.replicas',
      },
      {
        rule: 'self.replicas > 5',
        message: 'required',
        reason: 'FieldValueRequired',
        fieldPath: ".labels['a']",
      },
    ),
  );
  t.deepEqual(textsOf(schema, { spec: FULL }), [
    'spec: Invalid value: failed rule: self.replicas > 5',
    'spec: Invalid value: too few',
    'spec: Invalid value: have 3',
    'spec.replicas: Forbidden: forbidden',
    'spec.labels[a]: Required value: required',
  ]);
});

test('a scalar is shown, and the root has no field', (t) => {
  const schema = withRules(
    { type: 'object', properties: { spec: withRules({ type: 'string' }, { rule: "self == 'a'" }) } },
    { rule: "self.metadata.name == 'x'", message: 'wrong name' },
  );
  t.deepEqual(textsOf(schema, { apiVersion: 'v1', kind: 'Foo', metadata: { name: 'y' }, spec: 'b' }), [
    '<nil>: Invalid value: wrong name',
    'spec: Invalid value: "b": failed rule: self == \'a\'',
  ]);
});

test('an evaluation that fails refuses the object', (t) => {
  const schema = root(
    withRules(SPEC, { rule: "self.source.handle == 'h'" }, { rule: "self.port + 'x' == 'y'", message: 'm' }),
  );
  t.deepEqual(textsOf(schema, { spec: { port: 1 } }), [
    'spec: Invalid value: "object": no such key: source evaluating rule: self.source.handle == \'h\'',
    'spec: Invalid value: "object": \'no such overload: dyn<int> + string\': call arguments did not match a supported operator, function or macro signature for rule: m',
  ]);
});

test('transition rules compare with the value before', (t) => {
  const schema = root({
    type: 'object',
    properties: {
      fixed: withRules({ type: 'string' }, { rule: 'self == oldSelf', message: 'is immutable' }),
      grows: withRules(
        { type: 'integer' },
        { rule: '!oldSelf.hasValue() || self >= oldSelf.value()', optionalOldSelf: true, message: 'shrinks' },
        { rule: 'oldSelf.hasValue() || self == 0', optionalOldSelf: true, message: 'starts at 0' },
      ),
    },
  });
  t.deepEqual(textsOf(schema, { spec: { fixed: 'a', grows: 0 } }), []);
  t.deepEqual(textsOf(schema, { spec: { grows: 1 } }), ['spec.grows: Invalid value: 1: starts at 0']);
  t.deepEqual(textsOf(schema, { spec: { fixed: 'b', grows: 1 } }, { spec: { fixed: 'a', grows: 2 } }), [
    'spec.fixed: Invalid value: "b": is immutable',
    'spec.grows: Invalid value: 1: shrinks',
  ]);
});

test('items of a list with keys are compared with their former selves', (t) => {
  const item = withRules(
    {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string' }, size: { type: 'integer' } },
    },
    { rule: 'self.size >= oldSelf.size', message: 'shrinks' },
  );
  const schema = root({
    type: 'array',
    items: item,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  });
  const old = {
    spec: [
      { name: 'a', size: 1 },
      { name: 'b', size: 5 },
    ],
  };
  t.deepEqual(
    textsOf(
      schema,
      {
        spec: [
          { name: 'b', size: 4 },
          { name: 'c', size: 0 },
        ],
      },
      old,
    ),
    ['spec[0]: Invalid value: shrinks'],
  );
});

const LISTS: StructuralSchema = {
  type: 'object',
  properties: {
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    names: { type: 'array', items: { type: 'string' } },
    ports: {
      type: 'array',
      items: { type: 'object', properties: { name: { type: 'string' }, port: { type: 'integer' } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
  },
};

test('the order of sets and of lists with keys says nothing', (t) => {
  const rules = [
    'self.tags == oldSelf.tags && self.ports == oldSelf.ports && self.names != oldSelf.names',
    "(self.tags + ['a', 'c']).size() == 3 && (self.names + ['a']).size() == 3",
    "(self.ports + self.ports).size() == 2 && self.ports[0].name == 'b'",
  ];
  const schema = root(withRules(LISTS, ...rules.map((rule) => ({ rule }))));
  const [a, b] = [
    { name: 'a', port: 1 },
    { name: 'b', port: 2 },
  ];
  const old = { spec: { tags: ['a', 'b'], names: ['a', 'b'], ports: [a, b] } };
  t.deepEqual(textsOf(schema, { spec: { tags: ['b', 'a'], names: ['b', 'a'], ports: [b, a] } }, old), []);
});

test('what was wrong before and has not changed is let pass', (t) => {
  const schema = root(
    withRules(
      {
        type: 'object',
        properties: { a: withRules({ type: 'integer' }, { rule: 'self > 5' }), b: { type: 'integer' } },
      },
      { rule: 'self.a + self.b > 10', message: 'too small' },
    ),
  );
  const old = { spec: { a: 1, b: 1 } };
  t.deepEqual(textsOf(schema, old, old), []);
  t.deepEqual(textsOf(schema, { spec: { a: 1, b: 2 } }, old), ['spec: Invalid value: too small']);
});

test('an evaluation that takes too long ends', (t) => {
  const schema = root(
    withRules(
      { type: 'array', items: { type: 'integer' } },
      { rule: 'self.all(a, self.all(b, self.all(c, self.all(d, a + b + c + d >= 0))))' },
    ),
  );
  const spec = Array.from({ length: 300 }, (_item, index) => index);
  t.deepEqual(textsOf(schema, { spec }), [
    '<nil>: Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run',
  ]);
});

const REFUSED: [ValidationRule, string][] = [
  [
    { rule: 'self.nothing == 1' },
    `spec.x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.nothing == 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field 'nothing'\n | self.nothing == 1\n | ....^`,
  ],
  [{ rule: 'self.replicas' }, 'cel expression must evaluate to a bool'],
  [{ rule: "self.replicas == 'x'" }, "found no matching overload for '_==_' applied to '(int, string)'"],
  [{ rule: 'nothing == 1' }, "undeclared reference to 'nothing' (in container '')"],
  [{ rule: 'self.replicas ==' }, 'Syntax error: '],
  [{ rule: 'self.name.nothing() == 1' }, "found no matching overload for 'nothing' applied to 'string.()'"],
  [{ rule: 'true', messageExpression: '1 + 1' }, 'messageExpression must evaluate to a string'],
  [{ rule: 'true', optionalOldSelf: true }, 'may not be set if oldSelf is not used in rule'],
];

test('a rule that does not compile is refused', (t) => {
  for (const [rule, expected] of REFUSED) {
    const [text = '', ...more] = compileRules(withRules(SPEC, rule), 'spec').map(fieldErrorText);
    t.true(text.includes(expected), text);
    t.deepEqual(more, []);
  }
});

test('rules that look back are refused where nothing can be told to be the same', (t) => {
  const items = withRules({ type: 'string' }, { rule: 'self == oldSelf' });
  t.deepEqual(compileRules(root({ type: 'array', items }), 'schema').map(fieldErrorText), [
    'schema.properties[spec].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[spec]',
  ]);
});
