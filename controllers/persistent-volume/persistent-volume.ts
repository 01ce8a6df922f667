import { claimKeysOf } from '../../api/storage/pod-claims.ts';
import { classOfClaim } from '../../api/storage/storage-class.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerContext, ControllerFactory } from '../../client/controller.ts';
import { pods, storageClasses } from '../../client/resources.ts';
import { podsByClaim } from '../pods-by-claim.ts';
import { createAnnouncements } from './announcements.ts';
import { claimKeyOf, claimsByVolume, unboundByClass, volumeNameOf, volumesByClaim } from './binder.ts';
import type { Binder, Taken } from './binder.ts';
import { createNewestObjects } from './newest-objects.ts';
import { createOperations } from './operations.ts';
import { syncClaim } from './sync-claim.ts';
import { syncVolume } from './sync-volume.ts';
import { followObjects } from './wake.ts';

export interface PersistentVolumeControllerOptions {
  /** How often everything is looked at again although nothing told to (--pvclaimbinder-sync-period). */
  resyncMs?: number;
}

/**
 * Binds claims to volumes, asks provisioners for volumes, and reclaims volumes whose claim is gone. Binding is two
 * references, volume to claim and claim to volume, written one after the other without a transaction; each
 * sync completes or takes back what an earlier one (or another controller) left half done.
 */
export const persistentVolumeController =
  ({ resyncMs = 15_000 }: PersistentVolumeControllerOptions = {}): ControllerFactory =>
  (context) => {
    const { clock, log } = context;
    const recorder = context.recorder('persistentvolume-controller');
    // A little less than the resync, which shall tell again.
    const announcements = createAnnouncements({ recorder, clock, intervalMs: resyncMs * 0.9 });
    const operations = createOperations(log);

    const claimReconciler = createReconciler({
      name: 'persistentvolume-claims',
      context,
      concurrency: 8,
      async reconcile(key) {
        const claim = binder.claims.getByKey(key);
        if (claim !== undefined) await syncClaim(claim, binder);
      },
    });
    const volumeReconciler = createReconciler({
      name: 'persistentvolume-volumes',
      context,
      concurrency: 8,
      async reconcile(name) {
        const volume = binder.volumes.getByKey(name);
        if (volume !== undefined) await syncVolume(volume, binder);
      },
    });

    const binder: Binder = {
      ...createStores(context),
      client: context.client,
      clock,
      log,
      recorder,
      announce: announcements.announce,
      operations,
      queueClaim: (key) => claimReconciler.queue.add(key),
      queueVolume: (name) => volumeReconciler.queue.add(name),
    };
    const unfollow = followObjects(context, { binder, announcements });
    const stopResync = repeat(clock, { everyMs: resyncMs, action: () => queueAll(binder) });
    return {
      async stop() {
        stopResync();
        unfollow();
        await Promise.all([claimReconciler.stop(), volumeReconciler.stop()]);
        await operations.stop();
      },
    };
  };

const createStores = ({ informers }: ControllerContext) => ({
  claims: createNewestObjects<PersistentVolumeClaim>({
    [unboundByClass]: (claim) => (volumeNameOf(claim) === '' ? [classOfClaim(claim)] : []),
    [claimsByVolume]: (claim) => [volumeNameOf(claim)],
  }),
  volumes: createNewestObjects<PersistentVolume>({ [volumesByClaim]: (volume) => claimKeysIn(volume) }),
  classes: informers.informer(storageClasses).lister,
  pods: informers.informer(pods, { indexers: { [podsByClaim]: claimKeysOf } }).lister,
  taken: new Map<string, Taken>(),
});

const claimKeysIn = (volume: PersistentVolume): string[] => {
  const key = claimKeyOf(volume);
  return key === undefined ? [] : [key];
};

const queueAll = ({ claims, volumes, queueClaim, queueVolume }: Binder): void => {
  for (const key of claims.keys()) queueClaim(key);
  for (const name of volumes.keys()) queueVolume(name);
};

const repeat = (clock: Clock, { everyMs, action }: { everyMs: number; action: () => void }) => {
  let cancel: () => void;
  const schedule = () => {
    cancel = clock.after(everyMs, () => {
      action();
      schedule();
    });
  };
  schedule();
  return () => cancel();
};
