import { EventEmitter } from 'node:events';
import test from 'ava';
import type { ResourceRequest } from '../../../apiserver/endpoints/context.ts';
import { watchObjects } from '../../../apiserver/endpoints/watch.ts';
import { configMap } from '../../../apiserver/registry/core/config-map.ts';
import { WatchCache } from '../../../apiserver/storage/watch-cache.ts';

test('a watch is not begun for who has left meanwhile', async (t) => {
  const answered: number[] = [];
  const response = Object.assign(new EventEmitter(), {
    destroyed: false,
    writeHead: (status: number) => answered.push(status),
    write: () => true,
    end: () => undefined,
  });
  const feed = {
    revision: 1,
    fresh() {
      response.destroyed = true;
      response.emit('close');
      return Promise.resolve();
    },
  };
  const store = { prefix: '/registry/configmaps/', cache: new WatchCache() };
  const request = {
    kind: configMap,
    info: { namespace: 'default', query: new URLSearchParams('watch=true&timeoutSeconds=1') },
    server: { feed, stores: { of: () => store }, stopping: new AbortController().signal },
    representation: { as: 'object' },
    response,
  };
  await watchObjects(request as unknown as ResourceRequest);
  t.deepEqual(answered, []);
});
