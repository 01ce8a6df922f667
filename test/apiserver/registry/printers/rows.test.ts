import test from 'ava';
import { BUILT_IN_KINDS } from '../../../../apiserver/registry/built-in.ts';
import type { ApiObject } from '../../../../apiserver/registry/kind.ts';
import { rowOf } from '../../../../apiserver/registry/printers/rows.ts';

/** What a store may hold, however it came there: nothing but metadata, or empty parts. */
const EMPTY: ApiObject[] = [
  { apiVersion: '', kind: '', metadata: {} },
  {
    apiVersion: '',
    kind: '',
    metadata: {},
    spec: {},
    status: {},
    subsets: [{}],
    endpoints: [{}],
    ports: [{}],
  },
];

for (const kind of BUILT_IN_KINDS) {
  test(`a row of ${kind.group}/${kind.plural} can be made of an object without fields`, (t) => {
    for (const object of EMPTY) {
      const { cells } = rowOf(kind, object, { includeObject: 'None', apiVersion: 'meta.k8s.io/v1' });
      t.true(cells.every((cell) => cell !== undefined) || kind.columns === undefined, JSON.stringify(cells));
      t.notThrows(() => kind.selectableFields?.(object));
    }
  });
}
