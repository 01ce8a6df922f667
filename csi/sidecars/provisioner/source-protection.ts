import type { PersistentVolumeClaim } from '../../../api/types.ts';
import { createReconciler } from '../../../client/controller.ts';
import type { Reconciler } from '../../../client/controller.ts';
import { isNotFound } from '../../../client/errors.ts';
import { keyOf, splitKey } from '../../../client/objects.ts';
import { persistentVolumeClaims } from '../../../client/resources.ts';
import { volumeSnapshots } from '../../snapshots/resources.ts';
import { hasFinalizer, removeFinalizer } from '../finalizers.ts';
import { cloneProtection } from './clone-source.ts';
import { namedSource } from './data-source.ts';
import { bySource, sourceKey } from './settings.ts';
import type { Provisioner } from './settings.ts';
import { snapshotInUse } from './snapshot-source.ts';

type SourceKind = 'PersistentVolumeClaim' | 'VolumeSnapshot';

/** Lets a claim that is being deleted go once nothing is cloned from it any more. */
export function releaseClonedClaims(provisioner: Provisioner): Reconciler {
  const { context, claims } = provisioner;
  const reconciler = createReconciler({
    name: `csi-provisioner ${provisioner.driver.name} clone sources`,
    context,
    async reconcile(key) {
      const object = claims.lister.getByKey(key);
      if (object?.metadata?.deletionTimestamp === undefined) return;
      if (isBeingCopied(provisioner, 'PersistentVolumeClaim', key)) return;
      const { client } = context;
      await removeFinalizer({ client, resource: persistentVolumeClaims, object, finalizer: cloneProtection });
    },
  });
  reconciler.follow(claims, (claim) => [keyOf(claim), ...sourcesOf(claim, 'PersistentVolumeClaim')]);
  return reconciler;
}

/** Lets snapshots go once no claim is restored from them any more, those of an earlier run too. */
export function releaseSnapshots(provisioner: Provisioner): Reconciler {
  const { context, claims } = provisioner;
  const { client } = context;
  const reconciler = createReconciler({
    name: `csi-provisioner ${provisioner.driver.name} snapshot sources`,
    context,
    async reconcile(key) {
      if (key === everySnapshot) return queueSnapshots(provisioner, reconciler);
      if (isBeingCopied(provisioner, 'VolumeSnapshot', key)) return;
      const object = await client
        .resource(volumeSnapshots)
        .get(splitKey(key))
        .catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        });
      if (object === undefined) return;
      await removeFinalizer({ client, resource: volumeSnapshots, object, finalizer: snapshotInUse });
    },
  });
  reconciler.follow(claims, (claim) => sourcesOf(claim, 'VolumeSnapshot'));
  reconciler.queue.add(everySnapshot);
  return reconciler;
}

const everySnapshot = '*';

/** A claim may have been deleted while nobody was here to see it. */
async function queueSnapshots({ context: { client } }: Provisioner, { queue }: Reconciler): Promise<void> {
  const { items } = await client
    .resource(volumeSnapshots)
    .list()
    .catch((error: unknown) => {
      // Snapshots are custom resources, which a cluster needn't have.
      if (isNotFound(error)) return { items: [] };
      throw error;
    });
  for (const snapshot of items) if (hasFinalizer(snapshot, snapshotInUse)) queue.add(keyOf(snapshot));
}

const isBeingCopied = ({ claims }: Provisioner, kind: SourceKind, key: string): boolean =>
  claims.lister
    .byIndex(bySource, sourceKey(kind, key))
    .some(({ status }) => status?.phase === undefined || status.phase === 'Pending');

function sourcesOf(claim: PersistentVolumeClaim, kind: SourceKind): string[] {
  const source = namedSource(claim);
  return source?.kind === kind ? [`${source.namespace}/${source.name}`] : [];
}
