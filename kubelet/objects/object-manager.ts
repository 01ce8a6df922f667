import type { ConfigMap, Pod, Secret } from '../../api/types.ts';
import { configMaps, secrets } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import { watchObject } from './object-watch.ts';
import type { ObjectWatch } from './object-watch.ts';
import { podReferences, referenceKey } from './pod-references.ts';
import type { ObjectReference } from './pod-references.ts';

/** An object that changed, came or went. */
export interface ObjectChange extends ObjectReference {
  namespace: string;
}

export interface ObjectManager {
  /** Begins to watch what the Pod names, and ends to watch what it named at the last call and now doesn't. */
  registerPod(pod: Pod): void;
  /** The Pod names nothing any more. Idempotent. */
  unregisterPod(uid: string): void;
  /** Of a registered Pod. Rejects with a NotFound StatusError (`configmap "x" not found`). */
  getConfigMap(namespace: string, name: string): Promise<ConfigMap>;
  getSecret(namespace: string, name: string): Promise<Secret>;
  /** Called at once for each change of any watched object; the answer takes the listener away. */
  onChange(listener: (change: ObjectChange) => void): () => void;
  /** How many objects are watched. */
  readonly size: number;
  close(): Promise<void>;
}

export interface ObjectManagerOptions {
  client: Client;
  /** Told each failed list or watch; it is tried again. */
  onError?: (error: unknown, object: ObjectChange) => void;
}

interface Entry {
  watch: ObjectWatch<ConfigMap | Secret>;
  /** The uids of the Pods that name the object. */
  pods: Set<string>;
}

/** Watches the ConfigMaps and Secrets that registered Pods name, each once (upstream's watch_based_manager.go). */
export const createObjectManager = ({ client, onError }: ObjectManagerOptions): ObjectManager => {
  const entries = new Map<string, Entry>();
  const keysOfPods = new Map<string, Set<string>>();
  const listeners = new Set<(change: ObjectChange) => void>();
  const closing = new Set<Promise<void>>();

  const watch = (change: ObjectChange): ObjectWatch<ConfigMap | Secret> => {
    const options = {
      client,
      ...change,
      onChange: () => listeners.forEach((listener) => listener(change)),
      onError: (error: unknown) => onError?.(error, change),
    };
    return change.kind === 'ConfigMap'
      ? watchObject<ConfigMap>({ ...options, resource: configMaps, noun: 'configmap' })
      : watchObject<Secret>({ ...options, resource: secrets, noun: 'secret' });
  };

  const end = ({ watch: ended }: Entry) => {
    const closed = ended.close().finally(() => closing.delete(closed));
    closing.add(closed);
  };

  const drop = (uid: string, keys: Iterable<string>) => {
    for (const key of keys) {
      const entry = entries.get(key);
      entry?.pods.delete(uid);
      if (entry === undefined || entry.pods.size > 0) continue;
      entries.delete(key);
      end(entry);
    }
  };

  const get = (change: ObjectChange): Promise<ConfigMap | Secret> => {
    const entry = entries.get(keyOf(change));
    if (entry !== undefined) return entry.watch.get();
    return Promise.reject(new Error(`object "${change.namespace}"/"${change.name}" not registered`));
  };

  return {
    registerPod(pod) {
      const { uid = '', namespace = '' } = pod.metadata ?? {};
      const changes = podReferences(pod).map((reference) => ({ ...reference, namespace }));
      for (const change of changes) {
        const key = keyOf(change);
        const entry = entries.get(key) ?? { watch: watch(change), pods: new Set() };
        entries.set(key, entry);
        entry.pods.add(uid);
      }
      const keys = new Set(changes.map(keyOf));
      const previous = keysOfPods.get(uid) ?? new Set();
      keysOfPods.set(uid, keys);
      drop(uid, previous.difference(keys));
    },
    unregisterPod(uid) {
      drop(uid, keysOfPods.get(uid) ?? []);
      keysOfPods.delete(uid);
    },
    getConfigMap: (namespace, name) => get({ kind: 'ConfigMap', namespace, name }) as Promise<ConfigMap>,
    getSecret: (namespace, name) => get({ kind: 'Secret', namespace, name }) as Promise<Secret>,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get size() {
      return entries.size;
    },
    async close() {
      for (const entry of entries.values()) end(entry);
      entries.clear();
      keysOfPods.clear();
      await Promise.all(closing);
    },
  };
};

const keyOf = ({ namespace, ...reference }: ObjectChange): string =>
  `${namespace}/${referenceKey(reference)}`;
