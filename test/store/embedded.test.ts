import test from 'ava';
import { openEmbeddedStore } from '../../store/embedded/open.ts';
import { KeyTooLongError } from '../../store/store.ts';
import { storeSuite } from './suite.ts';
import { temporaryFolder } from './temporary-folder.ts';

storeSuite(test, 'embedded', async (t) => {
  const dir = temporaryFolder(t);
  let store = openEmbeddedStore({ dir });
  t.teardown(() => store.close());
  return {
    store,
    reopen: async () => {
      await store.close();
      store = openEmbeddedStore({ dir });
      return store;
    },
  };
});

const LIMIT_BYTES = 1978;
const keyOf = (bytes: number) => '/é'.padEnd(bytes - 1, 'x');

test('a key that is too long is refused, and the writes beside it are not', async (t) => {
  const store = openEmbeddedStore({ dir: temporaryFolder(t) });
  t.teardown(() => store.close());
  const put = (key: string) => store.txn({ success: [{ type: 'put', key, value: Buffer.from('x') }] });
  const [longest, tooLong] = [keyOf(LIMIT_BYTES), keyOf(LIMIT_BYTES + 1)];
  t.deepEqual(
    [longest, tooLong].map((key) => Buffer.byteLength(key)),
    [1978, 1979],
  );
  const [first, refused, last] = await Promise.allSettled([put('/a'), put(tooLong), put(longest)]);
  t.is(first.status === 'fulfilled' && first.value.revision, 2);
  t.is(last.status === 'fulfilled' && last.value.revision, 3);
  const { reason } = refused as PromiseRejectedResult;
  t.true(reason instanceof KeyTooLongError);
  t.like(reason, {
    message:
      'Request entity too large: put of a key of 1979 bytes, the store takes at most 1978; choose a shorter name',
    status: { code: 413, reason: 'RequestEntityTooLarge' },
  });
  t.is(await store.currentRevision(), 3);
  t.is((await store.get(longest))?.modRevision, 3);
  // There is no such key, so asking and comparing are not errors.
  const absent = await store.txn({
    compare: [{ key: tooLong, modRevision: 0 }],
    success: [
      { type: 'get', key: tooLong },
      { type: 'delete', key: tooLong },
    ],
  });
  t.deepEqual(absent, { succeeded: true, revision: 3, results: [undefined, undefined] });
});
