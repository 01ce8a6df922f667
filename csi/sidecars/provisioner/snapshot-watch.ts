import type { PersistentVolumeClaim } from '../../../api/types.ts';
import { createInformer } from '../../../client/informer.ts';
import type { Informer } from '../../../client/informer.ts';
import { keyOf } from '../../../client/objects.ts';
import { volumeSnapshots } from '../../snapshots/resources.ts';
import type { VolumeSnapshot } from '../../snapshots/types.ts';
import { namedSource } from './data-source.ts';
import { bySource, sourceKey } from './settings.ts';
import type { Provisioner } from './settings.ts';

export interface SnapshotWatch {
  /** Begins to watch, if the claim is to be restored from a snapshot. */
  watchFor(claim: PersistentVolumeClaim): void;
  stop(): Promise<void>;
}

/**
 * Tells the uids of the claims whose snapshot changes, so that a restore begins when its snapshot is ready. The watch begins when
 * the first claim waits: snapshots are custom resources, which a cluster needn't have.
 */
export function watchSnapshots(
  { context: { client, clock, log }, claims }: Provisioner,
  tell: (uid: string) => void,
): SnapshotWatch {
  let informer: Informer<VolumeSnapshot> | undefined;
  const changed = (snapshot: VolumeSnapshot): void => {
    const waiting = claims.lister.byIndex(bySource, sourceKey('VolumeSnapshot', keyOf(snapshot)));
    for (const { metadata } of waiting) tell(metadata?.uid ?? '');
  };
  return {
    watchFor(claim) {
      if (informer !== undefined || namedSource(claim)?.kind !== 'VolumeSnapshot') return;
      const onError = (error: unknown) => log.debug({ err: error }, 'snapshots cannot be watched');
      informer = createInformer({ client, clock, resource: volumeSnapshots, onError });
      // What was there already may have changed since the claim failed.
      informer.addHandler({ add: changed, update: changed });
      informer.start();
    },
    async stop() {
      await informer?.stop();
    },
  };
}
