import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { secret } from '../../../apiserver/registry/core/secret.ts';
import { configMap } from '../../../apiserver/registry/core/config-map.ts';
import { Feed, ROOT } from '../../../apiserver/storage/feed.ts';
import { Stores } from '../../../apiserver/storage/stores.ts';
import { plainValues } from '../../../apiserver/storage/value-transformer.ts';
import { openEmbeddedStore } from '../../../store/embedded/open.ts';

test('a cache that is added while others write holds everything, and misses no change', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pp-feed-'));
  const store = openEmbeddedStore({ dir });
  const feed = new Feed({ store, onFailure: (error) => t.fail(String(error)) });
  const stores = new Stores({ kinds: [configMap], store, feed, plain: plainValues, encrypted: plainValues });
  t.teardown(async () => {
    feed.stop();
    await store.close();
    rmSync(dir, { recursive: true });
  });
  const write = (name: string, data: string) => {
    const value = Buffer.from(JSON.stringify({ metadata: { name, namespace: 'default' }, data }));
    return store.txn({ success: [{ type: 'put', key: `${ROOT}secrets/default/${name}`, value }] });
  };
  for (let index = 0; index < 50; index++) await write(`old-${index}`, 'old');
  await feed.start();

  const writing = Promise.all(
    Array.from({ length: 200 }, (_item, index) =>
      index % 2 === 0 ? write(`old-${index % 50}`, `changed-${index}`) : write(`new-${index}`, 'new'),
    ),
  );
  const objects = await stores.add(secret);
  const seen: number[] = [];
  objects.cache.listen(({ revision }) => seen.push(revision));
  await writing;
  await feed.fresh();

  const { items } = await store.list({ prefix: objects.prefix });
  const cached = [...objects.cache.list(objects.prefix)];
  t.deepEqual(
    cached.map(({ key, revision }) => [key, revision]),
    items.map(({ key, modRevision }) => [key, modRevision]),
  );
  t.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );

  stores.remove(secret);
  await write('late', 'x');
  await feed.fresh();
  t.is(objects.cache.get(`${ROOT}secrets/default/late`), undefined);
  t.throws(() => stores.of(secret), { message: 'no storage for /secrets' });
});
