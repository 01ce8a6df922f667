import type { Informer } from '../../../client/informer.ts';
import { keyOf } from '../../../client/objects.ts';
import type { ApiObject } from '../../../client/objects.ts';

/**
 * An informer's objects, ahead of the informer by what the scheduler has decided about some of them but not
 * written yet (upstream's passiveAssumeCache). Whatever the informer tells later overrules the decision.
 *
 *     assume ──▶ assumed ──newer version seen, or deleted──▶ as the informer says
 *                   └──────restore───────────────────────────────▲
 */
export interface AssumeCache<T extends ApiObject> {
  get(key: string): T | undefined;
  byIndex(indexName: string, value: string): T[];
  /** Throws Error when the informer knows another version by now: the decision was made on old facts. */
  assume(object: T): void;
  restore(object: T): void;
}

/** Lives as long as the informer. */
export const createAssumeCache = <T extends ApiObject>(informer: Informer<T>): AssumeCache<T> => {
  const { lister } = informer;
  const assumed = new Map<string, T>();
  const expire = (object: T) => {
    const key = keyOf(object);
    const present = lister.getByKey(key);
    const decision = assumed.get(key);
    if (decision !== undefined && !(present !== undefined && isSameVersion(decision, present)))
      assumed.delete(key);
  };
  informer.addHandler({ add: expire, update: expire, delete: expire });

  const asAssumed = (object: T): T => {
    const decision = assumed.get(keyOf(object));
    return decision !== undefined && isSameVersion(decision, object) ? decision : object;
  };

  return {
    get(key) {
      const object = lister.getByKey(key);
      return object === undefined ? undefined : asAssumed(object);
    },
    byIndex: (indexName, value) => lister.byIndex(indexName, value).map(asAssumed),
    assume(object) {
      const key = keyOf(object);
      const stored = lister.getByKey(key);
      if (stored === undefined) throw new Error(`${JSON.stringify(key)} is gone`);
      if (!isSameVersion(stored, object)) {
        const [storedVersion, version] = [stored, object].map(
          ({ metadata }) => metadata?.resourceVersion ?? '',
        );
        throw new Error(
          `${JSON.stringify(key)} is out of sync (stored: ${storedVersion ?? ''}, assume: ${version ?? ''})`,
        );
      }
      assumed.set(key, object);
    },
    restore(object) {
      const key = keyOf(object);
      const decision = assumed.get(key);
      if (decision !== undefined && isSameVersion(decision, object)) assumed.delete(key);
    },
  };
};

const isSameVersion = (a: ApiObject, b: ApiObject): boolean =>
  a.metadata?.uid === b.metadata?.uid && a.metadata?.resourceVersion === b.metadata?.resourceVersion;
