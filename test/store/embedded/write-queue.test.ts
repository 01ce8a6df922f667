import test from 'ava';
import { decodeChange } from '../../../store/embedded/codec.ts';
import { openTables, revisionIn } from '../../../store/embedded/database.ts';
import type { WriteBatch } from '../../../store/embedded/write-batch.ts';
import { stateOf } from '../../../store/embedded/write-batch.ts';
import { WriteQueue } from '../../../store/embedded/write-queue.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const put = (key: string) => (batch: WriteBatch) =>
  batch.apply({ success: [{ type: 'put', key, value: Buffer.from(key) }] });

/** Puts two keys, and dies of `message` with both written and logged. */
const putAndThrow = (key: string, message: string) => (batch: WriteBatch) => {
  put(key)(batch);
  put('/shared')(batch);
  throw new Error(message);
};

test('a write that throws fails alone and leaves nothing behind', async (t) => {
  const tables = openTables(temporaryFolder(t));
  t.teardown(() => tables.root.close());
  let commits = 0;
  const queue = new WriteQueue({
    tables,
    committed: () => {
      commits++;
      tables.root.resetReadTxn();
    },
  });
  const outcomes = await Promise.allSettled([
    queue.add(put('/a')),
    queue.add(putAndThrow('/half', 'first')),
    queue.add(put('/b')),
    queue.add(putAndThrow('/other', 'second')),
    queue.add(put('/shared')),
  ]);
  t.deepEqual(
    outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value.revision : String(outcome.reason),
    ),
    [2, 'Error: first', 3, 'Error: second', 4],
  );
  t.is(commits, 1);
  t.is(revisionIn(tables), 4);
  for (const key of ['/half', '/other']) t.is(stateOf(tables, key), undefined);
  t.is(stateOf(tables, '/shared')?.version, 1);
  const log = [...tables.changes.getRange({})].map(({ key, value }) => [...key, decodeChange(value).key]);
  t.deepEqual(log, [
    [2, 0, '/a'],
    [3, 0, '/b'],
    [4, 0, '/shared'],
  ]);
  t.is((await queue.add(put('/next'))).revision, 5);
});

test('when all writes throw there is no commit, and the queue goes on', async (t) => {
  const tables = openTables(temporaryFolder(t));
  t.teardown(() => tables.root.close());
  const queue = new WriteQueue({ tables, committed: () => tables.root.resetReadTxn() });
  await t.throwsAsync(queue.add(putAndThrow('/half', 'alone')), { message: 'alone' });
  t.is(revisionIn(tables), 1);
  t.is((await queue.add(put('/a'))).revision, 2);
});
