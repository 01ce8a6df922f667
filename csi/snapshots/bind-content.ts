import { isConflict } from '../../client/errors.ts';
import { keyOf } from '../../client/objects.ts';
import { reportFailure } from './failure.ts';
import { isUnset, mayReferTo, nameOf, uidOf } from './names.ts';
import { volumeSnapshotContents, volumeSnapshots } from './resources.ts';
import { wordsOf } from './snapshotting.ts';
import type { Snapshotting } from './snapshotting.ts';
import type { VolumeSnapshot, VolumeSnapshotContent } from './types.ts';

/**
 * Makes an existing content point at the snapshot that names it: UID and class are filled in. Resolves with the bound content;
 * reports and rejects when that can't be.
 */
export const bindContent = async (
  world: Snapshotting,
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent,
): Promise<VolumeSnapshotContent> => {
  try {
    return await bind(world, snapshot, content);
  } catch (error) {
    if (isConflict(error)) throw error;
    const message = `Snapshot failed to bind VolumeSnapshotContent, ${wordsOf(error)}`;
    await reportFailure(world, volumeSnapshots, { object: snapshot, reason: 'SnapshotBindFailed', message });
    throw new Error(
      `snapshot ${keyOf(snapshot)} is bound, but VolumeSnapshotContent ${nameOf(content)} is not bound to the VolumeSnapshot correctly, ${wordsOf(error)}`,
      { cause: error },
    );
  }
};

const bind = async (
  { client }: Snapshotting,
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent,
): Promise<VolumeSnapshotContent> => {
  const { volumeSnapshotRef: ref, volumeSnapshotClassName } = content.spec;
  if (!mayReferTo(ref, snapshot))
    throw new Error(
      `Could not bind snapshot ${nameOf(snapshot)} and content ${nameOf(content)}, the VolumeSnapshotRef does not match`,
    );
  const { volumeSnapshotClassName: className = volumeSnapshotClassName } = snapshot.spec;
  if (!isUnset(ref.uid) && (volumeSnapshotClassName !== undefined || className === undefined)) return content;
  return client.resource(volumeSnapshotContents).patch({
    name: nameOf(content),
    type: 'merge',
    patch: {
      // Two snapshots may want the same content; the second one must see the first one's UID.
      metadata: { resourceVersion: content.metadata?.resourceVersion },
      spec: {
        volumeSnapshotRef: { uid: uidOf(snapshot) },
        ...(className === undefined ? {} : { volumeSnapshotClassName: className }),
      },
    },
  });
};
