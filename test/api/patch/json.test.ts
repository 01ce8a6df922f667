import test from 'ava';
import fc from 'fast-check';
import { applyJsonPatch, JsonPatchError } from '../../../api/patch/json.ts';
import { StatusError } from '../../../api/status.ts';

type Case = [title: string, document: unknown, patch: unknown, expected: unknown];

/** The examples of RFC 6902, appendix A, that succeed, and some corners. */
const good: Case[] = [
  [
    'A.1 adds a member',
    { foo: 'bar' },
    [{ op: 'add', path: '/baz', value: 'qux' }],
    { baz: 'qux', foo: 'bar' },
  ],
  [
    'A.2 adds an element',
    { foo: ['bar', 'baz'] },
    [{ op: 'add', path: '/foo/1', value: 'qux' }],
    { foo: ['bar', 'qux', 'baz'] },
  ],
  ['A.3 removes a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
  [
    'A.4 removes an element',
    { foo: ['bar', 'qux', 'baz'] },
    [{ op: 'remove', path: '/foo/1' }],
    { foo: ['bar', 'baz'] },
  ],
  ['A.5 replaces', { baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
  [
    'A.6 moves a value',
    { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
    [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
    { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
  ],
  [
    'A.7 moves an element',
    { foo: ['all', 'grass', 'cows', 'eat'] },
    [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
    { foo: ['all', 'cows', 'eat', 'grass'] },
  ],
  [
    'A.8 tests',
    { baz: 'qux', foo: ['a', 2, 'c'] },
    [
      { op: 'test', path: '/baz', value: 'qux' },
      { op: 'test', path: '/foo/1', value: 2 },
    ],
    { baz: 'qux', foo: ['a', 2, 'c'] },
  ],
  [
    'A.10 adds a nested member',
    { foo: 'bar' },
    [{ op: 'add', path: '/child', value: { grandchild: {} } }],
    { foo: 'bar', child: { grandchild: {} } },
  ],
  [
    'a negative index counts from the end',
    { a: [1, 2, 3] },
    [
      { op: 'replace', path: '/a/-1', value: 4 },
      { op: 'remove', path: '/a/-3' },
      { op: 'add', path: '/a/-1', value: 5 },
    ],
    { a: [2, 4, 5] },
  ],
  [
    'A.11 ignores what it does not know',
    { foo: 'bar' },
    [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }],
    { foo: 'bar', baz: 'qux' },
  ],
  [
    'A.14 understands ~',
    { '/': 9, '~1': 10 },
    [{ op: 'test', path: '/~01', value: 10 }],
    { '/': 9, '~1': 10 },
  ],
  [
    'A.16 adds an array',
    { foo: ['bar'] },
    [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }],
    { foo: ['bar', ['abc', 'def']] },
  ],
  ['replaces what was not there, as upstream does', {}, [{ op: 'replace', path: '/a', value: 1 }], { a: 1 }],
  ['replaces the document', { foo: 'bar' }, [{ op: 'replace', path: '', value: [1] }], [1]],
  [
    'copies without sharing',
    { a: { b: 1 } },
    [
      { op: 'copy', from: '/a', path: '/c' },
      { op: 'replace', path: '/c/b', value: 2 },
    ],
    { a: { b: 1 }, c: { b: 2 } },
  ],
  [
    'tests objects whatever the order',
    { a: { x: 1, y: 2 } },
    [{ op: 'test', path: '/a', value: { y: 2, x: 1 } }],
    { a: { x: 1, y: 2 } },
  ],
  ['takes a missing value for null in a test', {}, [{ op: 'test', path: '/a', value: null }], {}],
  ['has an empty key', { '': 1 }, [{ op: 'replace', path: '/', value: 2 }], { '': 2 }],
  ['adds null', {}, [{ op: 'add', path: '/a', value: null }], { a: null }],
];

for (const [title, document, patch, expected] of good)
  test(title, (t) => {
    const before = structuredClone(document);
    t.deepEqual(applyJsonPatch(document, patch), expected);
    t.deepEqual(document, before);
  });

type Refusal = [title: string, document: unknown, patch: unknown, message: string];

const refused: Refusal[] = [
  [
    'A.9 a test that fails',
    { baz: 'qux' },
    [{ op: 'test', path: '/baz', value: 'bar' }],
    'testing value /baz failed: test failed',
  ],
  [
    'A.12 a parent that is not there',
    { foo: 'bar' },
    [{ op: 'add', path: '/baz/bat', value: 'qux' }],
    'add operation does not apply: doc is missing path: "/baz/bat": missing value',
  ],
  [
    'A.15 a string is no number',
    { '~1': 10 },
    [{ op: 'test', path: '/~01', value: '10' }],
    'testing value /~01 failed: test failed',
  ],
  [
    'a key that is not there',
    {},
    [{ op: 'remove', path: '/a' }],
    "error in remove for path: '/a': Unable to remove nonexistent key: a: missing value",
  ],
  [
    'an index out of range',
    { a: [1] },
    [{ op: 'add', path: '/a/2', value: 1 }],
    "error in add for path: '/a/2': Unable to access invalid index: 2: invalid index referenced",
  ],
  [
    'a negative index out of range',
    { a: [1] },
    [{ op: 'remove', path: '/a/-2' }],
    "error in remove for path: '/a/-2': Unable to access invalid index: -2: invalid index referenced",
  ],
  [
    'an index with a leading zero',
    { a: [1, 2] },
    [{ op: 'remove', path: '/a/01' }],
    "error in remove for path: '/a/01': value was not a proper array index: '01'",
  ],
  [
    'a move into itself',
    { a: { b: {} } },
    [{ op: 'move', from: '/a', path: '/a/b' }],
    'move operation does not apply: "/a/b" is inside "/a"',
  ],
  ['an unknown operation', {}, [{ op: 'spam', path: '/a' }], 'Unexpected kind: spam'],
  ['no value', {}, [{ op: 'add', path: '/a' }], 'operation, missing value field: missing value'],
  ['no path', {}, [{ op: 'remove' }], 'remove operation failed to decode path: missing value'],
];

for (const [title, document, patch, message] of refused)
  test(`${title} is refused`, (t) => {
    t.throws(() => applyJsonPatch(document, patch), { instanceOf: JsonPatchError, message });
  });

test('what is no patch is a bad request, and too long a patch too large', (t) => {
  const notList = t.throws(() => applyJsonPatch({}, { op: 'add' }), { instanceOf: StatusError });
  t.is(notList.status.code, 400);
  const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: {} }));
  const tooLong = t.throws(() => applyJsonPatch({}, many), { instanceOf: StatusError });
  t.is(tooLong.status.code, 413);
});

test('a failing operation leaves the document as it was', (t) => {
  const document = { a: [1] };
  t.throws(() =>
    applyJsonPatch(document, [
      { op: 'add', path: '/a/-', value: 2 },
      { op: 'remove', path: '/x' },
    ]),
  );
  t.deepEqual(document, { a: [1] });
});

test('no key reaches a prototype', (t) => {
  const patch: unknown = JSON.parse('[{"op":"add","path":"/__proto__","value":{"polluted":true}}]');
  const result = applyJsonPatch({}, patch) as object;
  t.true(Object.hasOwn(result, '__proto__'));
  t.is(({} as Record<string, unknown>)['polluted'], undefined);
  t.throws(() => applyJsonPatch({}, [{ op: 'add', path: '/constructor/prototype/x', value: 1 }]));
});

test('adding and removing again gives the document back', (t) => {
  const document = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(document, fc.string(), fc.jsonValue(), (original, key, value) => {
      fc.pre(!Object.hasOwn(original, key));
      const path = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      const clean: unknown = JSON.parse(JSON.stringify(original));
      const added = applyJsonPatch(clean, [
        { op: 'add', path, value },
        { op: 'test', path, value },
      ]);
      t.deepEqual(applyJsonPatch(added, [{ op: 'remove', path }]), clean);
    }),
  );
});
