import type { PersistentVolumeClaim } from '../../api/types.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory, Reconciler } from '../../client/controller.ts';
import { keyOf } from '../../client/objects.ts';
import { restoredFrom } from './delete-snapshot.ts';
import { followGroups } from './groups/follow-groups.ts';
import { snapshotInformers, sourceClaimKeys } from './informers.ts';
import type { SnapshotInformers } from './informers.ts';
import { namespaceOf, refKey } from './names.ts';
import type { Snapshotting } from './snapshotting.ts';
import { syncClaim } from './sync-claim.ts';
import { syncContent } from './sync-content.ts';
import { syncSnapshot } from './sync-snapshot.ts';

/** As many as external-snapshotter's --worker-threads. */
const concurrency = 10;

/**
 * The snapshot controller that a cluster has one of (external-snapshotter's snapshot-controller): binds VolumeSnapshots to
 * VolumeSnapshotContents and group snapshots to theirs, and protects what is in use. The driver's half is csiSnapshotter().
 * The custom resources must be installed (install-crds.ts).
 */
export const snapshotController = (): ControllerFactory => (context) => {
  const informers = snapshotInformers(context);
  const world: Snapshotting = {
    client: context.client,
    clock: context.clock,
    log: context.log,
    recorder: context.recorder('snapshot-controller'),
    snapshots: informers.snapshots.lister,
    contents: informers.contents.lister,
    classes: informers.classes.lister,
    groups: informers.groups.lister,
    groupContents: informers.groupContents.lister,
    groupClasses: informers.groupClasses.lister,
    claims: informers.claims.lister,
    volumes: informers.volumes.lister,
  };
  const snapshots = createReconciler({
    name: 'snapshot-controller',
    context,
    concurrency,
    reconcile: (key) => syncSnapshot(world, key),
  });
  const contents = createReconciler({
    name: 'snapshot-content-controller',
    context,
    concurrency,
    reconcile: (key) => syncContent(world, key),
  });
  contents.follow(informers.contents);
  const claims = createReconciler({
    name: 'snapshot-source-controller',
    context,
    concurrency,
    reconcile: (key) => syncClaim(world, key),
  });
  claims.follow(informers.claims);
  claims.follow(informers.snapshots, sourceClaimKeys);
  followForSnapshots(world, snapshots, informers);
  const groups = followGroups({ context, concurrency, world, informers });
  return {
    async stop() {
      await Promise.all([snapshots, contents, claims, groups].map((each) => each.stop()));
    },
  };
};

/** A snapshot is looked at whenever anything changes that it may be waiting for. */
const followForSnapshots = (world: Snapshotting, snapshots: Reconciler, informers: SnapshotInformers) => {
  const keysOfClaim = (claim: PersistentVolumeClaim): string[] => {
    const restored = restoredFrom(claim);
    return [
      ...world.snapshots.byIndex('claim', keyOf(claim)).map(keyOf),
      ...(restored === undefined ? [] : [`${namespaceOf(claim)}/${restored}`]),
    ];
  };
  snapshots.follow(informers.snapshots);
  snapshots.follow(informers.contents, ({ spec }) => [refKey(spec.volumeSnapshotRef)]);
  snapshots.follow(informers.claims, keysOfClaim);
  snapshots.follow(informers.classes, () =>
    world.snapshots
      .list()
      .filter((snapshot) => snapshot.status?.readyToUse !== true)
      .map(keyOf),
  );
  snapshots.follow(informers.groups, (group) => world.snapshots.byIndex('group', keyOf(group)).map(keyOf));
};
