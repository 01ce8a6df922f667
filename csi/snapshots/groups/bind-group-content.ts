import { isConflict } from '../../../client/errors.ts';
import { keyOf } from '../../../client/objects.ts';
import { reportFailure } from '../failure.ts';
import { isUnset, mayReferTo, nameOf, uidOf } from '../names.ts';
import { volumeGroupSnapshotContents, volumeGroupSnapshots } from '../resources.ts';
import { wordsOf } from '../snapshotting.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeGroupSnapshot, VolumeGroupSnapshotContent } from '../types.ts';

/**
 * Makes an existing content point at the group snapshot that names it: UID and class are filled in. Resolves with the bound
 * content; reports and rejects when that can't be.
 */
export const bindGroupContent = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
  content: VolumeGroupSnapshotContent,
): Promise<VolumeGroupSnapshotContent> => {
  try {
    return await bind(world, group, content);
  } catch (error) {
    if (isConflict(error)) throw error;
    const message = `GroupSnapshot failed to bind VolumeGroupSnapshotContent, ${wordsOf(error)}`;
    await reportFailure(world, volumeGroupSnapshots, {
      object: group,
      reason: 'GroupSnapshotBindFailed',
      message,
    });
    throw new Error(
      `group snapshot ${keyOf(group)} is bound, but VolumeGroupSnapshotContent ${nameOf(content)} is not bound to the VolumeGroupSnapshot correctly, ${wordsOf(error)}`,
      { cause: error },
    );
  }
};

const bind = async (
  { client }: Snapshotting,
  group: VolumeGroupSnapshot,
  content: VolumeGroupSnapshotContent,
): Promise<VolumeGroupSnapshotContent> => {
  const { volumeGroupSnapshotRef: ref, volumeGroupSnapshotClassName } = content.spec;
  if (!mayReferTo(ref, group))
    throw new Error(
      `Could not bind group snapshot ${nameOf(group)} and group snapshot content ${nameOf(content)}, the VolumeGroupSnapshotRef does not match`,
    );
  // A content's class never changes once it is set.
  const className = volumeGroupSnapshotClassName ?? group.spec.volumeGroupSnapshotClassName;
  if (!isUnset(ref.uid) && volumeGroupSnapshotClassName === className) return content;
  return client.resource(volumeGroupSnapshotContents).patch({
    name: nameOf(content),
    type: 'merge',
    patch: {
      metadata: { resourceVersion: content.metadata?.resourceVersion },
      spec: {
        volumeGroupSnapshotRef: { uid: uidOf(group) },
        ...(className === undefined ? {} : { volumeGroupSnapshotClassName: className }),
      },
    },
  });
};
