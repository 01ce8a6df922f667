import type { ExecutionContext, TestFn } from 'ava';
import type { Store, StoreEvent, TransactionResult } from '../../store/store.ts';
import { CompactedError, FutureRevisionError, StoreClosedError } from '../../store/store.ts';

/** A fresh empty store; `reopen` closes it and opens the same data again. */
export interface StoreUnderTest {
  store: Store;
  reopen(): Promise<Store>;
}

type Factory = (t: ExecutionContext) => Promise<StoreUnderTest>;

const bytes = (text: string) => Buffer.from(text);
const put = (store: Store, key: string, value: string): Promise<TransactionResult> =>
  store.txn({ success: [{ type: 'put', key, value: bytes(value) }] });
const remove = (store: Store, key: string): Promise<TransactionResult> =>
  store.txn({ success: [{ type: 'delete', key }] });
const keysOf = ({ items }: { items: { key: string }[] }) => items.map(({ key }) => key);

/** Reads events until `done` says so, without progress. */
export async function eventsUntil(
  events: AsyncIterable<StoreEvent>,
  done: (seen: StoreEvent[], event: StoreEvent) => boolean,
): Promise<StoreEvent[]> {
  const seen: StoreEvent[] = [];
  for await (const event of events) {
    if (event.type !== 'progress') seen.push(event);
    if (done(seen, event)) break;
  }
  return seen;
}

/** What every store must do, whatever lies below: the semantics of etcd v3. */
export function storeSuite(test: TestFn, name: string, open: Factory): void {
  const check = (
    title: string,
    run: (t: ExecutionContext, store: Store, opened: StoreUnderTest) => Promise<void>,
  ) =>
    test(`${name}: ${title}`, async (t) => {
      const opened = await open(t);
      await run(t, opened.store, opened);
    });

  readAndWrite(check);
  transactions(check);
  history(check);
  watching(check);
  ending(check);
}

type Check = (
  title: string,
  run: (t: ExecutionContext, store: Store, opened: StoreUnderTest) => Promise<void>,
) => void;

function readAndWrite(check: Check) {
  check('an empty store is at revision 1', async (t, store) => {
    t.is(await store.currentRevision(), 1);
    t.is(await store.get('/a'), undefined);
    t.deepEqual(await store.list({ prefix: '/' }), { items: [], more: false, revision: 1 });
  });

  check('a key keeps its create revision and counts its versions', async (t, store) => {
    const first = await put(store, '/a', 'one');
    const second = await put(store, '/a', 'two');
    t.is(second.revision, first.revision + 1);
    t.deepEqual(await store.get('/a'), {
      key: '/a',
      value: bytes('two'),
      createRevision: first.revision,
      modRevision: second.revision,
      version: 2,
    });
  });

  check('a key that is made again starts anew', async (t, store) => {
    await put(store, '/a', 'one');
    await remove(store, '/a');
    t.is(await store.get('/a'), undefined);
    const again = await put(store, '/a', 'two');
    const found = await store.get('/a');
    t.is(found?.createRevision, again.revision);
    t.is(found?.version, 1);
  });

  check('values are any bytes, also none', async (t, store) => {
    const value = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    await store.txn({ success: [{ type: 'put', key: '/binary', value }] });
    await store.txn({ success: [{ type: 'put', key: '/empty', value: Buffer.alloc(0) }] });
    t.deepEqual((await store.get('/binary'))?.value, value);
    t.is((await store.get('/empty'))?.value.length, 0);
  });

  check('lists are ordered by bytes and bounded by the prefix', async (t, store) => {
    for (const key of ['/b', '/a/2', '/a/10', '/a/1', '/a', '/aa', '/a/é', '/a/z'])
      await put(store, key, key);
    t.deepEqual(keysOf(await store.list({ prefix: '/a/' })), ['/a/1', '/a/10', '/a/2', '/a/z', '/a/é']);
    t.is((await store.list({ prefix: '/' })).items.length, 8);
  });

  check('a page may begin anywhere, also where no key can be', async (t, store) => {
    for (const key of ['/a', '/b', '/\uff5e', '/\u{1f600}']) await put(store, key, key);
    const { revision } = await put(store, '/a', 'again');
    await put(store, '/zz', 'later');
    const long = `/b${'~'.repeat(5000)}`;
    t.deepEqual(keysOf(await store.list({ prefix: '/', from: long, limit: 2 })), ['/zz', '/\uff5e']);
    t.deepEqual(keysOf(await store.list({ prefix: long })), []);
    t.is(await store.get(long), undefined);
    // By its bytes the emoji comes last, by its UTF-16 units before.
    const from = '/\uff5e\0';
    for (const at of [{}, { revision }])
      t.deepEqual(keysOf(await store.list({ prefix: '/', from, ...at })), ['/\u{1f600}']);
  });

  check('pages follow one another', async (t, store) => {
    for (let index = 0; index < 7; index++) await put(store, `/k/${index}`, '');
    const first = await store.list({ prefix: '/k/', limit: 3 });
    t.true(first.more);
    const second = await store.list({ prefix: '/k/', limit: 3, from: `${first.items.at(-1)?.key}\0` });
    const third = await store.list({ prefix: '/k/', limit: 3, from: `${second.items.at(-1)?.key}\0` });
    t.false(third.more);
    t.deepEqual(
      [first, second, third].flatMap(keysOf),
      Array.from({ length: 7 }, (_, index) => `/k/${index}`),
    );
  });
}

function transactions(check: Check) {
  check('a comparison with revision 0 holds for a key that is not there', async (t, store) => {
    const create = {
      compare: [{ key: '/a', modRevision: 0 }],
      success: [{ type: 'put' as const, key: '/a', value: bytes('x') }],
    };
    t.true((await store.txn(create)).succeeded);
    t.false((await store.txn(create)).succeeded);
  });

  check('a lost comparison changes nothing and carries out the failure branch', async (t, store) => {
    const { revision } = await put(store, '/a', 'one');
    await put(store, '/a', 'two');
    const result = await store.txn({
      compare: [{ key: '/a', modRevision: revision }],
      success: [{ type: 'put', key: '/a', value: bytes('three') }],
      failure: [{ type: 'get', key: '/a' }],
    });
    t.false(result.succeeded);
    t.is(result.revision, revision + 1);
    t.deepEqual(result.results[0]?.value, bytes('two'));
  });

  check('all operations of a transaction share one revision', async (t, store) => {
    await put(store, '/old', 'x');
    const result = await store.txn({
      success: [
        { type: 'put', key: '/a', value: bytes('1') },
        { type: 'put', key: '/b', value: bytes('2') },
        { type: 'delete', key: '/old' },
      ],
    });
    t.deepEqual(
      (await store.list({ prefix: '/' })).items.map(({ key, modRevision }) => [key, modRevision]),
      [
        ['/a', result.revision],
        ['/b', result.revision],
      ],
    );
    t.deepEqual(result.results[2]?.value, bytes('x'));
  });

  check('a transaction without changes makes no revision', async (t, store) => {
    const { revision } = await put(store, '/a', 'x');
    t.is((await remove(store, '/missing')).revision, revision);
    t.is((await store.txn({ success: [{ type: 'get', key: '/a' }] })).revision, revision);
  });

  check('of concurrent writers to one revision exactly one wins', async (t, store) => {
    const { revision } = await put(store, '/a', 'start');
    const swap = (value: string) =>
      store.txn({
        compare: [{ key: '/a', modRevision: revision }],
        success: [{ type: 'put', key: '/a', value: bytes(value) }],
      });
    const results = await Promise.all(Array.from({ length: 50 }, (_, index) => swap(String(index))));
    t.is(results.filter(({ succeeded }) => succeeded).length, 1);
    t.is(await store.currentRevision(), revision + 1);
  });

  check('concurrent increments lose none', async (t, store) => {
    await put(store, '/n', '0');
    const increment = async (): Promise<void> => {
      const current = await store.get('/n');
      const next = String(Number(current?.value.toString()) + 1);
      const result = await store.txn({
        compare: [{ key: '/n', modRevision: current?.modRevision ?? 0 }],
        success: [{ type: 'put', key: '/n', value: bytes(next) }],
      });
      if (!result.succeeded) await increment();
    };
    await Promise.all(Array.from({ length: 20 }, increment));
    t.is((await store.get('/n'))?.value.toString(), '20');
  });
}

function history(check: Check) {
  check('older revisions can be listed', async (t, store) => {
    const { revision } = await put(store, '/a', 'one');
    await put(store, '/b', 'new');
    await put(store, '/a', 'two');
    await remove(store, '/a');
    const old = await store.list({ prefix: '/', revision });
    t.deepEqual(
      old.items.map(({ key, value }) => [key, value.toString()]),
      [['/a', 'one']],
    );
    t.is(old.revision, revision);
    t.deepEqual(keysOf(await store.list({ prefix: '/', revision: revision + 2, limit: 1, from: '/a\0' })), [
      '/b',
    ]);
  });

  check('a compaction forgets what is older and keeps the rest', async (t, store) => {
    await put(store, '/a', 'one');
    const { revision } = await put(store, '/a', 'two');
    await put(store, '/a', 'three');
    await store.compact(revision);
    const kept = await store.list({ prefix: '/', revision });
    t.is(kept.items[0]?.value.toString(), 'two');
    const error = await t.throwsAsync(store.list({ prefix: '/', revision: revision - 1 }), {
      instanceOf: CompactedError,
    });
    t.is(error.message, 'etcdserver: mvcc: required revision has been compacted');
    t.is(error.compactedRevision, revision);
    await t.throwsAsync(store.compact(revision), { instanceOf: CompactedError });
    t.is((await store.get('/a'))?.value.toString(), 'three');
  });

  check('of two compactions at once the older one has come too late', async (t, store) => {
    await put(store, '/a', 'one');
    const { revision } = await put(store, '/a', 'two');
    await put(store, '/a', 'three');
    const [newer, older] = await Promise.allSettled([store.compact(revision), store.compact(revision - 1)]);
    t.is(newer.status, 'fulfilled');
    t.true(older.status === 'rejected' && older.reason instanceof CompactedError);
    await t.throwsAsync(store.list({ prefix: '/', revision: revision - 1 }), { instanceOf: CompactedError });
  });

  check('a revision that is yet to come is an error', async (t, store) => {
    await put(store, '/a', 'x');
    const error = await t.throwsAsync(store.list({ prefix: '/', revision: 99 }), {
      instanceOf: FutureRevisionError,
    });
    t.is(error.message, 'etcdserver: mvcc: required revision is a future revision');
    await t.throwsAsync(store.compact(99), { instanceOf: FutureRevisionError });
  });

  check('revisions, history and compaction outlive a restart', async (t, store, opened) => {
    await put(store, '/a', 'one');
    const { revision } = await put(store, '/a', 'two');
    await put(store, '/a', 'three');
    await store.compact(revision);
    const again = await opened.reopen();
    t.is(await again.currentRevision(), revision + 1);
    t.is((await again.list({ prefix: '/', revision })).items[0]?.value.toString(), 'two');
    await t.throwsAsync(again.list({ prefix: '/', revision: revision - 1 }), { instanceOf: CompactedError });
    t.is((await put(again, '/b', 'x')).revision, revision + 2);
  });
}

function watching(check: Check) {
  check('a watch from a revision brings all since, then what comes', async (t, store) => {
    const { revision } = await put(store, '/w/a', 'one');
    await put(store, '/other', 'x');
    await put(store, '/w/a', 'two');
    const watched = eventsUntil(
      store.watch({ prefix: '/w/', fromRevision: revision }),
      (seen) => seen.length === 4,
    );
    await put(store, '/w/b', 'three');
    await remove(store, '/w/a');
    const told = (await watched).map((event) => {
      if (event.type === 'progress') return [];
      return [
        event.type,
        event.key,
        event.value.toString(),
        event.prevValue?.toString(),
        event.modRevision - revision,
      ];
    });
    t.deepEqual(told, [
      ['put', '/w/a', 'one', undefined, 0],
      ['put', '/w/a', 'two', 'one', 2],
      ['put', '/w/b', 'three', undefined, 3],
      ['delete', '/w/a', 'two', 'two', 4],
    ]);
  });

  check('a watch without a revision begins with the next change', async (t, store) => {
    await put(store, '/a', 'before');
    const iterator = store.watch({ prefix: '/' })[Symbol.asyncIterator]();
    const next = iterator.next();
    await put(store, '/a', 'after');
    const { value } = await next;
    t.is(value?.type === 'put' ? value.value.toString() : value?.type, 'after');
    await iterator.return?.();
  });

  check(
    'a watch without a revision tells what was written before its first event was asked for',
    async (t, store) => {
      const events = store.watch({ prefix: '/' });
      await put(store, '/a', 'early');
      await put(store, '/b', 'late');
      const seen = await eventsUntil(events, (_, event) => event.type !== 'progress' && event.key === '/b');
      t.deepEqual(
        seen.map((event) => (event.type === 'progress' ? '' : event.key)),
        ['/a', '/b'],
      );
    },
  );

  check('progress tells how far a watch is, also past the changes of others', async (t, store) => {
    const watch = store.watch({ prefix: '/mine/', fromRevision: 2 });
    await put(store, '/mine/a', '1');
    const { revision } = await put(store, '/other', '2');
    const seen = await eventsUntil(
      watch,
      (_, event) => event.type === 'progress' && event.modRevision >= revision,
    );
    t.is(seen.length, 1);
  });

  check('each of many watchers sees every change once and in order', async (t, store) => {
    const count = 300;
    const watchers = Array.from({ length: 10 }, () =>
      eventsUntil(store.watch({ prefix: '/k/', fromRevision: 2 }), (seen) => seen.length === count),
    );
    await Promise.all(
      Array.from({ length: count }, (_, index) => put(store, `/k/${index % 7}`, String(index))),
    );
    const [first, ...others] = await Promise.all(watchers);
    t.deepEqual(
      first?.map(({ modRevision }) => modRevision),
      Array.from({ length: count }, (_, index) => index + 2),
    );
    for (const other of others) t.deepEqual(other, first);
  });

  check('a watch from before the compaction fails', async (t, store) => {
    await put(store, '/a', 'one');
    const { revision } = await put(store, '/a', 'two');
    await store.compact(revision);
    const failed = eventsUntil(store.watch({ prefix: '/', fromRevision: revision }), () => true);
    await t.throwsAsync(failed, { instanceOf: CompactedError });
    const watch = store.watch({ prefix: '/', fromRevision: revision + 1 });
    await put(store, '/a', 'three');
    t.is((await eventsUntil(watch, (seen) => seen.length === 1)).length, 1);
  });

  check('an abort ends a watch quietly', async (t, store) => {
    const controller = new AbortController();
    const ended = eventsUntil(store.watch({ prefix: '/', signal: controller.signal }), () => false);
    controller.abort();
    t.deepEqual(await ended, []);
  });
}

function ending(check: Check) {
  check('a closed store ends its watches and refuses work', async (t, store) => {
    const watched = eventsUntil(store.watch({ prefix: '/' }), () => false);
    const write = put(store, '/a', 'last');
    await store.close();
    t.true((await write).succeeded);
    t.is((await watched).length <= 1, true);
    await t.throwsAsync(store.get('/a'), { instanceOf: StoreClosedError, message: 'the store is closed' });
    await store.close();
  });
}
