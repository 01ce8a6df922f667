import { isDeepStrictEqual } from 'node:util';
import { wait } from '../../client/clock.ts';
import type { ApiObject } from '../../client/objects.ts';
import { customResourceDefinitions } from '../../client/resources.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';
import { discoverResources } from '../discovery.ts';
import type { DiscoveredResource } from '../discovery.ts';
import { collect } from './collect.ts';
import { createOwnerGraph } from './graph.ts';

/** How often new resources are looked for (upstream's 30 s), and again when that failed. */
const discoveryIntervalMs = 30_000;
const discoveryRetryMs = 1000;
/** A resource that can't be listed must not hold up all others for ever. */
const maxSyncMs = 10_000;

/**
 * Deletes objects whose owners are gone, in the background or in the foreground, or lets them go (orphan).
 * It knows nothing of kinds: it watches everything that discovery says can be watched and deleted.
 */
export const garbageCollector: ControllerFactory = (context) => {
  const { client, informers, clock, log } = context;
  const graph = createOwnerGraph();
  const watched = new Map<string, { resource: DiscoveredResource; unfollow: () => void }>();
  /** By `apiVersion/kind`. */
  const byName = new Map<string, DiscoveredResource>();
  const stopping = new AbortController();
  const complete = Promise.withResolvers<void>();
  /** Aborted when a definition of custom resources says that there is something new to discover. */
  let news = new AbortController();

  const reconciler = createReconciler({
    name: 'garbage-collector',
    context,
    async reconcile(uid) {
      // With half of the graph, an owner would seem to have no dependents.
      await complete.promise;
      const node = graph.get(uid);
      if (node === undefined || stopping.signal.aborted) return;
      await collect(node, {
        client,
        graph,
        resourceOf: (apiVersion, kind) => byName.get(`${apiVersion}/${kind}`),
        visit: (other) => reconciler.queue.add(other),
      });
    },
  });

  const visitAll = (uids: readonly string[]) => {
    for (const uid of uids) reconciler.queue.add(uid);
  };

  const watch = (resource: DiscoveredResource) => {
    const observe = (object: ApiObject) => visitAll(graph.observe(object, resource));
    const unfollow = informers.informer(resource.id).addHandler({
      add: observe,
      update: observe,
      delete: ({ metadata }) => visitAll(graph.remove(metadata?.uid ?? '')),
    });
    watched.set(keyOf(resource), { resource, unfollow });
  };

  const discover = async (): Promise<void> => {
    const found = await discoverResources(client, stopping.signal);
    byName.clear();
    for (const resource of found) for (const name of resource.names) byName.set(name, resource);
    const collectable = found.filter(isCollectable);
    const fresh = collectable.filter((resource) => !watched.has(keyOf(resource)));
    for (const resource of fresh) watch(resource);
    const present = new Set(collectable.map(keyOf));
    for (const [key, { resource, unfollow }] of watched) {
      if (present.has(key)) continue;
      watched.delete(key);
      unfollow();
      await informers.remove(resource.id);
    }
    await Promise.race([
      informers.waitForSync(stopping.signal),
      wait({ clock, delayMs: maxSyncMs, signal: stopping.signal }),
    ]);
    complete.resolve();
    if (fresh.length > 0) visitAll(graph.unresolved());
  };

  const keepDiscovering = async () => {
    while (!stopping.signal.aborted) {
      let delayMs = discoveryIntervalMs;
      news = new AbortController();
      try {
        await discover();
      } catch (error) {
        if (stopping.signal.aborted) return;
        delayMs = discoveryRetryMs;
        log.warn({ err: error, controller: 'garbage-collector' }, 'discovery failed, to be tried again');
      }
      await wait({ clock, delayMs, signal: AbortSignal.any([stopping.signal, news.signal]) });
    }
  };
  void keepDiscovering();
  const unfollow = informers.informer(customResourceDefinitions).addHandler({
    add: () => news.abort(),
    update: (definition, old) => {
      if (!isDeepStrictEqual(definition.status, old.status) || !isDeepStrictEqual(definition.spec, old.spec))
        news.abort();
    },
    delete: () => news.abort(),
  });

  return {
    async stop() {
      stopping.abort(new Error('the garbage collector is stopped'));
      complete.resolve();
      unfollow();
      for (const { unfollow } of watched.values()) unfollow();
      await reconciler.stop();
    },
  };
};

const keyOf = ({ id }: DiscoveredResource) => `${id.resource}.${id.version}.${id.group}`;

/** Events own nothing and are owned by nothing; they would only cost memory (upstream ignores them too). */
const isCollectable = ({ id, verbs }: DiscoveredResource): boolean =>
  id.resource !== 'events' && ['list', 'watch', 'delete'].every((verb) => verbs.includes(verb));
