import { labelSelectorMatcher } from '../../../api/selectors/labels.ts';
import type { PersistentVolumeClaim } from '../../../api/types.ts';
import { createReconciler } from '../../../client/controller.ts';
import type { Controller, ControllerContext } from '../../../client/controller.ts';
import { keyOf } from '../../../client/objects.ts';
import type { SnapshotInformers } from '../informers.ts';
import { isDeleting, namespaceOf, refKey } from '../names.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeGroupSnapshot } from '../types.ts';
import { ownerGroupName } from './membership.ts';
import { syncGroupContent } from './sync-group-content.ts';
import { syncGroup } from './sync-group.ts';

/** The group half of the snapshot controller. */
export const followGroups = ({
  context,
  concurrency,
  world,
  informers,
}: {
  context: ControllerContext;
  concurrency: number;
  world: Snapshotting;
  informers: SnapshotInformers;
}): Controller => {
  const groups = createReconciler({
    name: 'group-snapshot-controller',
    context,
    concurrency,
    reconcile: (key) => syncGroup(world, key),
  });
  const contents = createReconciler({
    name: 'group-snapshot-content-controller',
    context,
    concurrency,
    reconcile: (key) => syncGroupContent(world, key),
  });
  contents.follow(informers.groupContents);
  // A group is looked at whenever anything changes that it may be waiting for.
  groups.follow(informers.groups);
  groups.follow(informers.groupContents, ({ spec }) => [refKey(spec.volumeGroupSnapshotRef)]);
  groups.follow(informers.groupClasses, () => unready(world).map(keyOf));
  groups.follow(informers.claims, (claim) =>
    unready(world)
      .filter((group) => isDeleting(group) || selects(group, claim))
      .map(keyOf),
  );
  groups.follow(informers.snapshots, (snapshot) => {
    const name = ownerGroupName(snapshot);
    return name === undefined ? [] : [`${namespaceOf(snapshot)}/${name}`];
  });
  return {
    async stop() {
      await Promise.all([groups.stop(), contents.stop()]);
    },
  };
};

/** Groups that still wait for something: to be ready, or to be gone. */
const unready = ({ groups }: Snapshotting): VolumeGroupSnapshot[] =>
  groups.list().filter((group) => group.status?.readyToUse !== true || isDeleting(group));

const selects = (group: VolumeGroupSnapshot, claim: PersistentVolumeClaim): boolean => {
  if (namespaceOf(group) !== namespaceOf(claim)) return false;
  try {
    return labelSelectorMatcher(group.spec.source.selector).matches(claim.metadata?.labels);
  } catch {
    // The group's own step says what is wrong with its selector.
    return true;
  }
};
