import { claimKeysOf } from '../../../api/storage/pod-claims.ts';
import type { PersistentVolumeClaim, Pod } from '../../../api/types.ts';
import { createInformer } from '../../../client/informer.ts';
import type { Informer } from '../../../client/informer.ts';
import { keyOf } from '../../../client/objects.ts';
import { pods } from '../../../client/resources.ts';
import type { Resizer } from './settings.ts';

/** Which claims can be grown only while no Pod uses them: those whose driver said so (FAILED_PRECONDITION). */
export interface InUse {
  refused(claim: PersistentVolumeClaim): Promise<void>;
  /** Whether it was refused and is still used by a Pod. */
  isBlocked(claim: PersistentVolumeClaim): boolean;
  forget(key: string): void;
  stop(): Promise<void>;
}

const byClaim = 'claim';

/**
 * Remembers refusals, and calls `released` with the claim's key when its last Pod has ended. Pods are watched from the first refusal on:
 * most drivers never refuse.
 */
export function watchUse({ context }: Resizer, released: (key: string) => void): InUse {
  const { client, clock, log } = context;
  const refused = new Set<string>();
  let informer: Informer<Pod> | undefined;
  const freed = (pod: Pod): void => {
    for (const key of claimsOf(pod)) if (refused.has(key) && usersOf(key).length === 0) released(key);
  };
  const usersOf = (key: string): Pod[] => informer?.lister.byIndex(byClaim, key) ?? [];
  const watch = (): Promise<void> => {
    if (informer === undefined) {
      const onError = (error: unknown) => log.warn({ err: error }, 'informer');
      informer = createInformer({
        client,
        clock,
        resource: pods,
        indexers: { [byClaim]: claimsOf },
        onError,
      });
      informer.addHandler({
        update: (pod, previous) => (hasEnded(pod) ? freed(previous) : undefined),
        delete: freed,
      });
      informer.start();
    }
    return informer.waitForSync();
  };
  return {
    async refused(claim) {
      refused.add(keyOf(claim));
      await watch();
    },
    isBlocked: (claim) => refused.has(keyOf(claim)) && usersOf(keyOf(claim)).length > 0,
    forget: (key) => void refused.delete(key),
    async stop() {
      await informer?.stop();
    },
  };
}

const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** The claims that a Pod keeps in use; none once it has ended. */
const claimsOf = (pod: Pod): string[] => (hasEnded(pod) ? [] : claimKeysOf(pod));
