import { keyOf } from '../../../client/objects.ts';
import { reportFailure } from '../failure.ts';
import { dynamicGroupContentName, mayReferTo, refersTo, uidOf } from '../names.ts';
import { volumeGroupSnapshots } from '../resources.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeGroupSnapshot, VolumeGroupSnapshotContent } from '../types.ts';

/**
 * The content a group snapshot goes by: the one it names, or the one that is made for it. undefined when it isn't there (yet). A
 * content of the wrong sort, or of another group snapshot, is reported and rejects.
 */
export const findGroupContent = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
): Promise<VolumeGroupSnapshotContent | undefined> => {
  const { volumeGroupSnapshotContentName: named } = group.spec.source;
  if (named === '')
    throw new Error(`empty VolumeGroupSnapshotContentName for group snapshot ${keyOf(group)}`);
  const name = named ?? dynamicGroupContentName(uidOf(group));
  const content = world.groupContents.get({ name });
  if (content === undefined) return undefined;
  const report = (reason: string, message: string) =>
    reportFailure(world, volumeGroupSnapshots, { object: group, reason, message });
  const sort = sortOf(content);
  const wanted = named === undefined ? 'dynamically provisioned' : 'pre-provisioned';
  if (sort !== wanted) {
    const which = named === undefined ? `VolumeGroupSnapshotContent ${name}` : 'VolumeGroupSnapshotContent';
    await report('GroupSnapshotContentMismatch', `${which} is ${sort} while expecting a ${wanted} one`);
    throw new Error(
      `group snapshot ${keyOf(group)} expects a ${wanted} VolumeGroupSnapshotContent ${name} but gets a ${sort} one`,
    );
  }
  const { volumeGroupSnapshotRef: ref } = content.spec;
  if (named === undefined ? refersTo(ref, group) : mayReferTo(ref, group)) return content;
  const message = `VolumeGroupSnapshotContent [${name}] is bound to a different group snapshot`;
  await report('GroupSnapshotContentMisbound', message);
  throw new Error(message);
};

const sortOf = ({ spec: { source } }: VolumeGroupSnapshotContent) =>
  source.groupSnapshotHandles === undefined ? 'dynamically provisioned' : 'pre-provisioned';
