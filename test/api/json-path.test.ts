import test from 'ava';
import { parseJsonPath } from '../../api/json-path.ts';

const VALUE = {
  spec: { name: 'x', 'a.b': 1, list: [{ n: 'a', v: 1 }, { n: 'b', v: 2 }, { n: 'c' }] },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Other', status: 'False' },
    ],
  },
};

const PATHS: [path: string, found: unknown[]][] = [
  ['.spec.name', ['x']],
  ['$.spec.name', ['x']],
  ['.spec.nothing', []],
  ['.spec.nothing.below', []],
  [String.raw`.spec.a\.b`, [1]],
  [".spec['a.b']", [1]],
  ['.spec["a.b"]', [1]],
  ['.spec.list[0].n', ['a']],
  ['.spec.list[-1].n', ['c']],
  ['.spec.list[9].n', []],
  ['.spec.list[1:].n', ['b', 'c']],
  ['.spec.list[0:3:2].n', ['a', 'c']],
  ['.spec.list[*].v', [1, 2]],
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  [".status.conditions[?(@.type=='Ready')].status", ['True']],
  ['.spec.list[?(@.v>1)].n', ['b']],
  ['.spec.list[?(@.v)].n', ['a', 'b']],
  ['..type', ['Ready', 'Other']],
  ['.', [VALUE]],
];

test('paths find what kubectl finds', (t) => {
  for (const [path, found] of PATHS) t.deepEqual(parseJsonPath(path)(VALUE), found, path);
});

test('what is no path is refused', (t) => {
  for (const path of ['spec', '.spec[', '.spec[x]', '.spec..'])
    t.throws(() => parseJsonPath(path), { instanceOf: Error }, path);
});
