import test from 'ava';
import fc from 'fast-check';
import { SortedKeys } from '../../../apiserver/storage/sorted-keys.ts';
import { encryptedValues } from '../../../apiserver/storage/value-transformer.ts';
import { WatchCache } from '../../../apiserver/storage/watch-cache.ts';

const key = fc.stringMatching(/^[a-c]{1,3}(\/[a-c]{1,2})?$/);

test('sorted keys are a sorted set', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), key)), key, key, (changes, prefix, from) => {
      const keys = new SortedKeys();
      const model = new Set<string>();
      for (const [adds, name] of changes) {
        if (adds) keys.add(name);
        else keys.remove(name);
        if (adds) model.add(name);
        else model.delete(name);
      }
      const expected = [...model].filter((name) => name.startsWith(prefix)).toSorted();
      t.deepEqual([...keys.from(prefix)], expected);
      t.is(keys.count(prefix), expected.length);
      const later = expected.filter((name) => name >= from);
      t.deepEqual([...keys.from(prefix, from)], later);
      t.is(keys.count(prefix, from), later.length);
    }),
  );
});

const object = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

test('history reaches back to the load, and no further than its limit', (t) => {
  const cache = new WatchCache();
  cache.load([], 10);
  t.is(cache.eventsAfter(9), undefined);
  t.deepEqual(cache.eventsAfter(10), []);
  for (let revision = 11; revision <= 10_015; revision++)
    cache.apply({ key: 'a', revision, object: object('a') });
  t.is(cache.eventsAfter(10), undefined);
  t.is(cache.eventsAfter(10_013)?.length, 2);
  t.is(cache.eventsAfter(cache.oldestRevision)?.[0]?.revision, cache.oldestRevision + 1);
});

test('tells what happened, and to which object', (t) => {
  const cache = new WatchCache();
  cache.load([], 1);
  const seen: [string, number, string | undefined][] = [];
  const end = cache.listen(({ type, revision, previous }) =>
    seen.push([type, revision, previous?.object.metadata.name]),
  );
  const ofB: string[] = [];
  cache.listen(({ type }) => ofB.push(type), { key: 'b' });
  cache.apply({ key: 'a', revision: 2, object: object('a') });
  cache.apply({ key: 'a', revision: 3, object: object('a') });
  cache.apply({ key: 'b', revision: 4, object: object('b') });
  cache.apply({ key: 'a', revision: 5, object: undefined });
  cache.apply({ key: 'a', revision: 6, object: undefined });
  end();
  cache.apply({ key: 'c', revision: 7, object: object('c') });
  t.deepEqual(seen, [
    ['ADDED', 2, undefined],
    ['MODIFIED', 3, 'a'],
    ['ADDED', 4, undefined],
    ['DELETED', 5, 'a'],
  ]);
  t.deepEqual(ofB, ['ADDED']);
  t.deepEqual(
    [...cache.list('')].map((entry) => entry.key),
    ['b', 'c'],
  );
});

test('a listener that throws disturbs no other', (t) => {
  const cache = new WatchCache();
  const failures: unknown[] = [];
  const fail = () => {
    throw new Error('cannot show this');
  };
  cache.listen(fail, { onFailure: (error) => failures.push((error as Error).message) });
  cache.listen(fail, { key: 'a', onFailure: (error) => failures.push((error as Error).message) });
  const seen: number[] = [];
  cache.listen(({ revision }) => seen.push(revision));
  cache.listen(({ revision }) => seen.push(revision), { key: 'a' });
  cache.apply({ key: 'a', revision: 2, object: object('a') });
  t.deepEqual(seen, [2, 2]);
  t.deepEqual(failures, ['cannot show this', 'cannot show this']);
  cache.listen(fail);
  t.throws(() => cache.apply({ key: 'b', revision: 3, object: object('b') }), {
    message: 'cannot show this',
  });
});

test('a sealed value is read only at its own key', (t) => {
  const values = encryptedValues(Buffer.alloc(32, 7));
  const sealed = values.toStore('{"a":"secret"}', '/registry/secrets/default/a');
  t.false(sealed.includes('secret"'));
  t.is(values.fromStore(sealed, '/registry/secrets/default/a'), '{"a":"secret"}');
  t.throws(() => values.fromStore(sealed, '/registry/secrets/default/b'));
  t.throws(() => values.fromStore(Buffer.from('{}'), '/registry/secrets/default/a'), {
    message: /unknown prefix/,
  });
});
