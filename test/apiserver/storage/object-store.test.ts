import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { configMap as configMapKind } from '../../../apiserver/registry/core/config-map.ts';
import { event } from '../../../apiserver/registry/core/event.ts';
import type { ApiObject } from '../../../apiserver/registry/kind.ts';
import { Feed } from '../../../apiserver/storage/feed.ts';
import { sweepExpired } from '../../../apiserver/storage/housekeeping.ts';
import { ObjectStore } from '../../../apiserver/storage/object-store.ts';
import { Stores } from '../../../apiserver/storage/stores.ts';
import { plainValues } from '../../../apiserver/storage/value-transformer.ts';
import { openEmbeddedStore } from '../../../store/embedded/open.ts';
import type { ServerParts } from '../../../apiserver/endpoints/context.ts';
import { KindTable } from '../../../apiserver/registry/table.ts';

async function openStores(t: ExecutionContext) {
  const dir = mkdtempSync(join(tmpdir(), 'pp-store-'));
  const store = openEmbeddedStore({ dir });
  const feed = new Feed({ store, onFailure: (error) => t.fail(String(error)) });
  const kinds = [configMapKind, event];
  const stores = new Stores({ kinds, store, feed, plain: plainValues, encrypted: plainValues });
  await feed.start();
  t.teardown(async () => {
    feed.stop();
    await store.close();
    rmSync(dir, { recursive: true });
  });
  return { store, feed, stores, kinds, objects: stores.of(configMapKind) };
}

const place = { namespace: 'default', name: 'a' };
const object = (value: string): ApiObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'default' },
  data: { value },
});

test('an update that changes nothing of a stale state is tried on the newest', async (t) => {
  const { store, objects } = await openStores(t);
  await objects.create(object('old'));
  await objects.find(place);
  const [cached] = [objects.peek(place)];
  const set = (value: string) =>
    objects.update(place, (current) =>
      Promise.resolve({ write: { ...object(value), metadata: { ...current?.metadata } } }),
    );
  // The second write is decided before the first one can have reached the cache.
  const first = set('new');
  const second = first.then(() => set('old'));
  const [, written] = await Promise.all([first, second]);
  t.deepEqual(written['data'], { value: 'old' });
  const stored = await store.get('/registry/configmaps/default/a');
  t.regex(stored?.value.toString() ?? '', /"value":"old"/);
  t.not(written.metadata.resourceVersion, cached?.metadata.resourceVersion);
});

test('a removal meets the state that was judged, or judges again', async (t) => {
  const { objects } = await openStores(t);
  await objects.create(object('1'));
  let judged = 0;
  const removed = objects.update(place, async (current) => {
    judged += 1;
    if (judged === 1) {
      await objects.update(place, (inner) =>
        Promise.resolve({ write: { ...object('2'), metadata: { ...inner?.metadata } } }),
      );
    }
    t.truthy(current);
    return { remove: true };
  });
  t.deepEqual((await removed)['data'], { value: '2' });
  t.is(judged, 2);
  t.is(await objects.find(place), undefined);
});

test('the objects of an older revision are counted without being read', async (t) => {
  const { store, feed, objects } = await openStores(t);
  await objects.create(object('1'));
  const revision = await store.currentRevision();
  await objects.update(place, () => Promise.resolve({ remove: true }));
  const unreadable = {
    ...plainValues,
    fromStore: () => {
      throw new Error('read');
    },
  };
  const { kind, cache, prefix } = objects;
  const counting = new ObjectStore({ kind, store, cache, feed, values: unreadable });
  t.is(await counting.countAt({ prefix, from: prefix, revision }), 1);
  t.is(await counting.countAt({ prefix, from: `${objects.keyOf(place)}\0`, revision }), 0);
});

test('events go when their time is over', async (t) => {
  const { stores, kinds, feed } = await openStores(t);
  const events = stores.of(event);
  const eventAt = (name: string, lastTimestamp: string) =>
    events.create({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: 'default' },
      lastTimestamp,
    });
  await eventAt('old', '2026-01-01T10:00:00Z');
  await eventAt('young', '2026-01-01T11:30:00Z');
  await feed.fresh();
  const now = () => new Date('2026-01-01T12:00:00Z');
  await sweepExpired({ stores, kinds: new KindTable(kinds), now } as unknown as ServerParts);
  await feed.fresh();
  t.deepEqual(
    [...events.cache.values()].map((entry) => entry.object.metadata.name),
    ['young'],
  );
});
