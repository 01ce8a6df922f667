import test from 'ava';
import fc from 'fast-check';
import { applyMergePatch } from '../../../api/patch/merge.ts';

/** RFC 7386, appendix A. */
const cases: [original: unknown, patch: unknown, result: unknown][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

for (const [original, patch, result] of cases)
  test(`${JSON.stringify(original)} and ${JSON.stringify(patch)}`, (t) => {
    const before = structuredClone(original);
    t.deepEqual(applyMergePatch(original, patch), result);
    t.deepEqual(original, before);
  });

test('applying a patch twice is applying it once', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (original, patch) => {
      const once = applyMergePatch(original, patch);
      t.deepEqual(applyMergePatch(once, patch), once);
    }),
  );
});

test('no key reaches a prototype', (t) => {
  const patch: unknown = JSON.parse('{"__proto__":{"polluted":true}}');
  const result = applyMergePatch({}, patch) as object;
  t.is((result as Record<string, unknown>)['polluted'], undefined);
  t.is(({} as Record<string, unknown>)['polluted'], undefined);
});
