import { keyOf } from '../../client/objects.ts';
import { reportFailure } from './failure.ts';
import { dynamicContentName, mayReferTo, refersTo, uidOf } from './names.ts';
import { volumeSnapshots } from './resources.ts';
import type { Snapshotting } from './snapshotting.ts';
import type { VolumeSnapshot, VolumeSnapshotContent } from './types.ts';

/**
 * The content a snapshot goes by: the one it names, or the one that is made for it. undefined when it isn't there (yet). A content
 * of the wrong sort, or of another snapshot, is reported and rejects.
 */
export const findContent = async (
  world: Snapshotting,
  snapshot: VolumeSnapshot,
): Promise<VolumeSnapshotContent | undefined> => {
  const { volumeSnapshotContentName: named } = snapshot.spec.source;
  if (named === '') throw new Error(`empty VolumeSnapshotContentName for snapshot ${keyOf(snapshot)}`);
  const name = named ?? dynamicContentName(uidOf(snapshot));
  const content = world.contents.get({ name });
  if (content === undefined) return undefined;
  const report = (reason: string, message: string) =>
    reportFailure(world, volumeSnapshots, { object: snapshot, reason, message });
  const sort = sortOf(content);
  const wanted = named === undefined ? 'dynamically provisioned' : 'pre-provisioned';
  if (sort !== wanted) {
    const which = named === undefined ? `VolumeSnapshotContent ${name}` : 'VolumeSnapshotContent';
    await report('SnapshotContentMismatch', `${which} is ${sort} while expecting a ${wanted} one`);
    throw new Error(
      `snapshot ${keyOf(snapshot)} expects a ${wanted} VolumeSnapshotContent ${name} but gets a ${sort} one`,
    );
  }
  // What was made for a snapshot knows its UID from the start; what an administrator made learns it when it is bound.
  const { volumeSnapshotRef } = content.spec;
  const isOurs =
    named === undefined ? refersTo(volumeSnapshotRef, snapshot) : mayReferTo(volumeSnapshotRef, snapshot);
  if (isOurs) return content;
  const message = `VolumeSnapshotContent [${name}] is bound to a different snapshot`;
  await report('SnapshotContentMisbound', message);
  throw new Error(message);
};

const sortOf = ({ spec: { source } }: VolumeSnapshotContent) =>
  source.snapshotHandle === undefined ? 'dynamically provisioned' : 'pre-provisioned';
