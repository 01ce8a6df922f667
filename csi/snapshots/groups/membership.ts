import { keyOf } from '../../../client/objects.ts';
import { groupSnapshotGroup } from '../resources.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeSnapshot, VolumeSnapshotContent } from '../types.ts';

/** The name of the group that owns the snapshot, if one does. */
export const ownerGroupName = ({ metadata }: VolumeSnapshot): string | undefined =>
  metadata?.ownerReferences?.find(
    ({ kind, apiVersion }) => kind === 'VolumeGroupSnapshot' && apiVersion === `${groupSnapshotGroup}/v1`,
  )?.name;

/** Whether the snapshot was made for a group: the group's driver call took it. */
export const isGroupMember = (snapshot: VolumeSnapshot): boolean => ownerGroupName(snapshot) !== undefined;

/**
 * The name of the group whose handle the content has; undefined when it has none. Throws when no group has that handle: a member
 * without its group would look like any snapshot.
 */
export const groupNameOf = (
  { groupContents }: Snapshotting,
  snapshot: VolumeSnapshot,
  { status }: VolumeSnapshotContent,
): string | undefined => {
  const handle = status?.volumeGroupSnapshotHandle;
  if (handle === undefined) return undefined;
  const group = groupContents.list().find((content) => content.status?.volumeGroupSnapshotHandle === handle);
  if (group !== undefined) return group.spec.volumeGroupSnapshotRef.name;
  throw new Error(
    `updateSnapshotStatus: cannot find the group snapshot for VolumeSnapshot [${keyOf(snapshot)}], will not update snapshot status`,
  );
};
