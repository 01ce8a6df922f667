import { quote } from '../../../api/go-format.ts';
import { keyOf } from '../../../client/objects.ts';
import { reportFailure } from '../failure.ts';
import { annotationOf, annotations, nameOf } from '../names.ts';
import { cachedOrPresent } from '../present.ts';
import { volumeGroupSnapshotClasses, volumeGroupSnapshots } from '../resources.ts';
import { wordsOf } from '../snapshotting.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeGroupSnapshot, VolumeGroupSnapshotClass } from '../types.ts';
import { groupVolumes } from './group-volumes.ts';

/**
 * The name of the class a group snapshot goes by: its own, which must be there, else the default class of the driver of its
 * volumes; undefined for an existing one, which needs none. Reports and rejects when there is no such class.
 */
export const chooseGroupClass = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
): Promise<string | undefined> => {
  const { volumeGroupSnapshotClassName: own, source } = group.spec;
  const explain = async <T>(reason: string, words: string, find: () => T | Promise<T>): Promise<T> => {
    try {
      return await find();
    } catch (error) {
      const message = `${words} group snapshot class with error ${wordsOf(error)}`;
      await reportFailure(world, volumeGroupSnapshots, {
        object: group,
        reason,
        message,
        keepsReadiness: true,
      });
      throw error;
    }
  };
  if (own !== undefined)
    return nameOf(
      await explain('GetGroupSnapshotClassFailed', 'failed to get', () => groupSnapshotClass(world, own)),
    );
  if (source.volumeGroupSnapshotContentName !== undefined) return undefined;
  return explain('SetDefaultGroupSnapshotClassFailed', 'Failed to set default', () =>
    defaultGroupClass(world, group),
  );
};

/** The class of this name; rejects with an Error in the words of a lister. */
export const groupSnapshotClass = async (
  { client, groupClasses }: Pick<Snapshotting, 'client' | 'groupClasses'>,
  name: string,
): Promise<VolumeGroupSnapshotClass> => {
  const source = { client, lister: groupClasses, resource: volumeGroupSnapshotClasses };
  const found = await cachedOrPresent(source, { name });
  if (found !== undefined) return found;
  throw new Error(`volumegroupsnapshotclass.groupsnapshot.storage.k8s.io ${quote(name)} not found`);
};

const defaultGroupClass = async (world: Snapshotting, group: VolumeGroupSnapshot): Promise<string> => {
  const [volume] = await groupVolumes(world, group);
  const driver = volume?.spec?.csi?.driver;
  if (driver === undefined)
    throw new Error(`snapshotting non-CSI volumes is not supported, group snapshot:${keyOf(group)}`);
  const isDefault = (one: VolumeGroupSnapshotClass) =>
    annotationOf(one, annotations.isDefaultGroupClass) === 'true' && one.driver === driver;
  const cached = world.groupClasses.list().filter(isDefault);
  const present = async () => (await world.client.resource(volumeGroupSnapshotClasses).list()).items;
  // It may have been made a moment ago.
  const defaults = cached.length > 0 ? cached : (await present()).filter(isDefault);
  const [first] = defaults;
  if (first === undefined) throw new Error('cannot find default group snapshot class');
  if (defaults.length > 1) throw new Error(`${defaults.length} default snapshot classes were found`);
  return nameOf(first);
};
