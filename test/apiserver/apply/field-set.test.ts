import test from 'ava';
import fc from 'fast-check';
import { schemaFor } from '../../../api/openapi.ts';
import { compare, fieldsOf } from '../../../apiserver/apply/compare.ts';
import { difference, intersection, pathsOf, sorted, union } from '../../../apiserver/apply/field-set.ts';
import { merge, removeFields } from '../../../apiserver/apply/merge.ts';

const schema = schemaFor('', 'v1', 'ConfigMap') ?? {};
const configMap = fc.record(
  { data: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2')), immutable: fc.boolean() },
  { requiredKeys: [] },
);

test('sets of fields are sets', (t) => {
  fc.assert(
    fc.property(configMap, configMap, (one, two) => {
      const [a, b] = [fieldsOf(one, schema), fieldsOf(two, schema)];
      const [pathsA, pathsB] = [new Set(pathsOf(a)), new Set(pathsOf(b))];
      t.deepEqual(pathsOf(union(a, b)).toSorted(), [...pathsA.union(pathsB)].toSorted());
      t.deepEqual(pathsOf(difference(a, b)).toSorted(), [...pathsA.difference(pathsB)].toSorted());
      t.deepEqual(pathsOf(intersection(a, b)).toSorted(), [...pathsA.intersection(pathsB)].toSorted());
    }),
  );
});

test('what is applied is there, and comparing finds exactly what changed', (t) => {
  fc.assert(
    fc.property(configMap, configMap, (live, applied) => {
      const merged = merge(live, applied, schema) as typeof live;
      t.deepEqual({ ...live.data, ...applied.data }, merged.data ?? {});
      t.deepEqual(compare(merged, applied, schema).changed, undefined);
      const { removed } = compare(live, merged, schema);
      t.is(removed, undefined);
    }),
  );
});

test('a set is written in order: itself, fields, items by keys, values and indexes', (t) => {
  const steps = [
    '.',
    'f:a',
    'f:b',
    'k:{"containerPort":80,"protocol":"TCP"}',
    'k:{"containerPort":80,"protocol":"UDP"}',
    'k:{"containerPort":443,"protocol":"TCP"}',
    'v:"a"',
    'v:"b"',
    'i:2',
    'i:10',
  ];
  const set = Object.fromEntries(steps.toReversed().map((step) => [step, {}]));
  t.deepEqual(Object.keys(sorted({ 'f:x': set })['f:x'] ?? {}), steps);
  t.deepEqual(sorted(set), set);
});

const podSchema = schemaFor('', 'v1', 'Pod') ?? {};
const pod = (containers: object[]) => ({ spec: { containers } });

test('list items have their keys as identity', (t) => {
  const live = pod([
    { name: 'a', image: '1', ports: [{ containerPort: 80, protocol: 'TCP' }] },
    { name: 'b', image: '1' },
  ]);
  const applied = pod([
    { name: 'a', image: '2', ports: [{ containerPort: 80, name: 'http' }] },
    { name: 'c', image: '1' },
  ]);
  t.deepEqual(pathsOf(fieldsOf(applied, podSchema)), [
    '.spec.containers[name="a"]',
    '.spec.containers[name="a"].name',
    '.spec.containers[name="a"].image',
    '.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"]',
    '.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].containerPort',
    '.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].name',
    '.spec.containers[name="c"]',
    '.spec.containers[name="c"].name',
    '.spec.containers[name="c"].image',
  ]);
  t.deepEqual(
    merge(live, applied, podSchema),
    pod([
      { name: 'a', image: '2', ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }] },
      { name: 'b', image: '1' },
      { name: 'c', image: '1' },
    ]),
  );
  const onlyB = fieldsOf(pod([{ name: 'b', image: '1' }]), podSchema);
  const removal = { value: live, set: onlyB, owned: undefined, schema: podSchema };
  t.deepEqual(removeFields(removal), pod([live.spec.containers[0] ?? {}]));
});
