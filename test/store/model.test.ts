import test from 'ava';
import fc from 'fast-check';
import { openEmbeddedStore } from '../../store/embedded/open.ts';
import type { Store, StoreEvent } from '../../store/store.ts';
import { eventsUntil } from './suite.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The store as a plain map, with a copy for each revision. */
interface Model {
  state: Map<string, { value: string; createRevision: number; modRevision: number; version: number }>;
  revisions: Map<number, [key: string, value: string][]>;
  revision: number;
}

type Command =
  | { type: 'put'; key: string; value: string }
  | { type: 'delete'; key: string }
  | { type: 'swap'; key: string; value: string; stale: boolean };

const key = fc.constantFrom('/a', '/b', '/b/c', '/ba');
const value = fc.string({ maxLength: 5 });
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key, value }),
  fc.record({ type: fc.constant('delete' as const), key }),
  fc.record({ type: fc.constant('swap' as const), key, value, stale: fc.boolean() }),
);

const byKey = ([a]: [string, string], [b]: [string, string]) => (a < b ? -1 : 1);

const newModel = (): Model => ({ state: new Map(), revisions: new Map([[1, []]]), revision: 1 });

const pairsOf = ({ state }: Model): [string, string][] =>
  [...state].map(([name, { value: text }]): [string, string] => [name, text]).toSorted(byKey);

function applyToModel(model: Model, { type, key: name, ...rest }: Command): void {
  const current = model.state.get(name);
  if (type === 'delete' && current === undefined) return;
  if (type === 'swap' && 'stale' in rest && rest.stale) return;
  model.revision++;
  if (type === 'delete') model.state.delete(name);
  else
    model.state.set(name, {
      value: 'value' in rest ? rest.value : '',
      createRevision: current?.createRevision ?? model.revision,
      modRevision: model.revision,
      version: (current?.version ?? 0) + 1,
    });
  model.revisions.set(model.revision, pairsOf(model));
}

async function applyToStore(store: Store, model: Model, wanted: Command) {
  if (wanted.type === 'delete') return await store.txn({ success: [{ type: 'delete', key: wanted.key }] });
  const success = [{ type: 'put' as const, key: wanted.key, value: Buffer.from(wanted.value) }];
  if (wanted.type === 'put') return await store.txn({ success });
  const modRevision = (model.state.get(wanted.key)?.modRevision ?? 0) + (wanted.stale ? 1000 : 0);
  return await store.txn({ compare: [{ key: wanted.key, modRevision }], success });
}

const textsOf = (items: { key: string; value: Buffer }[]): [string, string][] =>
  items.map((item) => [item.key, item.value.toString()]);

function replay(events: StoreEvent[]): [string, string][] {
  const state = new Map<string, string>();
  for (const event of events) {
    if (event.type === 'put') state.set(event.key, event.value.toString());
    if (event.type === 'delete') state.delete(event.key);
  }
  return [...state].toSorted(byKey);
}

test('any sequence of writes leaves the store as it leaves a map, at every revision', async (t) => {
  const dir = temporaryFolder(t);
  let run = 0;
  const property = fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
    const store = openEmbeddedStore({ dir: `${dir}/${run++}` });
    const model = newModel();
    for (const each of commands) {
      const result = await applyToStore(store, model, each);
      applyToModel(model, each);
      t.is(result.revision, model.revision);
    }
    for (const [revision, pairs] of model.revisions)
      t.deepEqual(textsOf((await store.list({ prefix: '/', revision })).items), pairs);
    for (const { key: name, value: _, ...rest } of (await store.list({ prefix: '/' })).items) {
      const { value: __, ...expected } = model.state.get(name) ?? { value: '' };
      t.deepEqual(rest as unknown, expected as unknown);
    }
    const under = await store.list({ prefix: '/b', limit: 2 });
    t.deepEqual(
      textsOf(under.items),
      pairsOf(model)
        .filter(([name]) => name.startsWith('/b'))
        .slice(0, 2),
    );
    if (model.revision > 1) {
      const isLast = (_: StoreEvent[], event: StoreEvent) =>
        event.type === 'progress' && event.modRevision === model.revision;
      t.deepEqual(
        replay(await eventsUntil(store.watch({ prefix: '/', fromRevision: 2 }), isLast)),
        pairsOf(model),
      );
    }
    await store.close();
  });
  await fc.assert(property, { numRuns: 60 });
});
