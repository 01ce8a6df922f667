import { EventEmitter } from 'node:events';
import test from 'ava';
import type { ResourceRequest } from '../../../apiserver/endpoints/context.ts';
import { watchObjects } from '../../../apiserver/endpoints/watch.ts';
import { configMap } from '../../../apiserver/registry/core/config-map.ts';
import { WatchCache } from '../../../apiserver/storage/watch-cache.ts';

/** Watches one ConfigMap for a second; answers what was said of it. `meanwhile` runs while the watch waits for the cache. */
async function watchOne(meanwhile: (parts: { response: object; stopping: AbortController }) => void) {
  const said: string[] = [];
  const response = Object.assign(new EventEmitter(), {
    writeHead: (status: number) => said.push(String(status)),
    write: (text: string) => said.push(text.slice(0, 15)),
    end: () => said.push('end'),
  });
  const stopping = new AbortController();
  const cache = new WatchCache();
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } };
  cache.apply({ key: '/registry/configmaps/default/a', revision: 1, object });
  const feed = { revision: 1, fresh: () => Promise.resolve(meanwhile({ response, stopping })) };
  const request = {
    kind: configMap,
    info: { namespace: 'default', query: new URLSearchParams('watch=true&timeoutSeconds=1') },
    server: {
      feed,
      stores: { of: () => ({ prefix: '/registry/configmaps/', cache }) },
      stopping: stopping.signal,
    },
    representation: { as: 'object' },
    warnings: [],
    response,
  };
  await watchObjects(request as unknown as ResourceRequest);
  return said;
}

test('a watch is begun for who is there', async (t) => {
  t.deepEqual(await watchOne(() => undefined), ['200', '{"type":"ADDED"', 'end']);
});

test('a watch is not begun for who has left meanwhile', async (t) => {
  t.deepEqual(await watchOne(({ response }) => Object.assign(response, { destroyed: true })), []);
});

test('a watch ends at once when what it watches has ended meanwhile', async (t) => {
  t.deepEqual(await watchOne(({ stopping }) => stopping.abort()), ['200', 'end']);
});
