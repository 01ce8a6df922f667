import type { PersistentVolume } from '../../../api/types.ts';
import type { Clock } from '../../../client/clock.ts';
import type { InformerFactory } from '../../../client/informer-factory.ts';
import { keyOf } from '../../../client/objects.ts';
import type { ApiObject } from '../../../client/objects.ts';
import { nodes, persistentVolumeClaims, persistentVolumes, pods } from '../../../client/resources.ts';
import { podSelection } from '../../framework/pod-selection.ts';

/** Waits for what others do about volumes: each change of an object that is waited for asks again at once. */
export interface BindingWaits {
  /**
   * Resolves once `check` answers true; rejects when it throws, after `timeoutMs` with upstream's `context deadline
   * exceeded`, and with the signal's reason.
   */
  until(options: {
    /** `namespace/name` of the pod; its end is a change. */
    podKey: string;
    /** The node's end is one too. */
    nodeName: string;
    /** `namespace/name` of the claims; a volume's changes count for the claim that it is bound to. */
    claimKeys: readonly string[];
    check: () => boolean;
    timeoutMs: number;
    signal: AbortSignal;
  }): Promise<void>;
}

/** One set of informer handlers for all bindings that are under way. */
export const createBindingWaits = ({
  informers,
  clock,
}: {
  informers: InformerFactory;
  clock: Clock;
}): BindingWaits => {
  const waiting = new Map<string, Set<() => void>>();
  const wake = (key: string) => {
    for (const look of waiting.get(key) ?? []) look();
  };
  const follow = <T extends ApiObject>(keysOf: (object: T) => string[]) => ({
    add: (object: T) => keysOf(object).forEach(wake),
    // A volume that was taken away from its claim concerns the claim that it had.
    update: (object: T, previous: T) =>
      new Set([...keysOf(object), ...keysOf(previous)]).forEach((key) => wake(key)),
    delete: (object: T) => keysOf(object).forEach(wake),
  });
  informers.informer(persistentVolumeClaims).addHandler(follow((claim) => [claimKey(keyOf(claim))]));
  informers.informer(persistentVolumes).addHandler(follow(claimKeysOf));
  informers.informer(pods, podSelection).addHandler({ delete: (pod) => wake(podKeyOf(keyOf(pod))) });
  informers.informer(nodes).addHandler({ delete: (node) => wake(nodeKey(keyOf(node))) });

  const register = (keys: readonly string[], look: () => void) => {
    for (const key of keys) {
      const looks = waiting.get(key) ?? new Set();
      waiting.set(key, looks.add(look));
    }
  };
  const unregister = (keys: readonly string[], look: () => void) => {
    for (const key of keys) {
      const looks = waiting.get(key);
      looks?.delete(look);
      if (looks?.size === 0) waiting.delete(key);
    }
  };

  return {
    async until({ podKey, nodeName, claimKeys, check, timeoutMs, signal }) {
      signal.throwIfAborted();
      const done = Promise.withResolvers<void>();
      const look = () => {
        try {
          if (check()) done.resolve();
        } catch (error) {
          done.reject(error);
        }
      };
      const keys = [podKeyOf(podKey), nodeKey(nodeName), ...claimKeys.map(claimKey)];
      const abort = () => done.reject(signal.reason);
      const cancel = clock.after(timeoutMs, () => done.reject(new Error('context deadline exceeded')));
      signal.addEventListener('abort', abort, { once: true });
      register(keys, look);
      try {
        look();
        await done.promise;
      } finally {
        unregister(keys, look);
        signal.removeEventListener('abort', abort);
        cancel();
      }
    },
  };
};

const claimKey = (key: string) => `claim ${key}`;
const podKeyOf = (key: string) => `pod ${key}`;
const nodeKey = (name: string) => `node ${name}`;

const claimKeysOf = ({ spec }: PersistentVolume): string[] => {
  const { name, namespace = '' } = spec?.claimRef ?? {};
  return name === undefined ? [] : [claimKey(`${namespace}/${name}`)];
};
