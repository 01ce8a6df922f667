import { quote } from '../../api/go-format.ts';
import { keyOf } from '../../client/objects.ts';
import { reportFailure } from './failure.ts';
import { annotationOf, annotations, nameOf } from './names.ts';
import { isGroupMember } from './groups/membership.ts';
import { cachedOrPresent } from './present.ts';
import { volumeSnapshotClasses, volumeSnapshots } from './resources.ts';
import { wordsOf } from './snapshotting.ts';
import type { Snapshotting } from './snapshotting.ts';
import { boundVolume, sourceClaim } from './source-volume.ts';
import type { VolumeSnapshot, VolumeSnapshotClass } from './types.ts';

/**
 * The name of the class a snapshot goes by: its own, which must be there, else the default class of the driver of its volume.
 * undefined for those that need none: existing snapshots and members of groups. Reports and rejects when there is no such class.
 */
export const chooseClass = async (
  world: Snapshotting,
  snapshot: VolumeSnapshot,
): Promise<string | undefined> => {
  const { volumeSnapshotClassName: own, source } = snapshot.spec;
  const explain = async <T>(reason: string, what: string, find: () => T | Promise<T>): Promise<T> => {
    try {
      return await find();
    } catch (error) {
      const message = `Failed to ${what} snapshot class with error ${wordsOf(error)}`;
      await reportFailure(world, volumeSnapshots, {
        object: snapshot,
        reason,
        message,
        keepsReadiness: true,
      });
      throw error;
    }
  };
  if (own !== undefined)
    return nameOf(await explain('GetSnapshotClassFailed', 'get', () => snapshotClass(world, own)));
  if (source.volumeSnapshotContentName !== undefined || isGroupMember(snapshot)) return undefined;
  return explain('SetDefaultSnapshotClassFailed', 'set default', () => defaultClass(world, snapshot));
};

/** The class of this name; rejects with an Error in the words of a lister. */
export const snapshotClass = async (
  { client, classes }: Pick<Snapshotting, 'client' | 'classes'>,
  name: string,
): Promise<VolumeSnapshotClass> => {
  const found = await cachedOrPresent({ client, lister: classes, resource: volumeSnapshotClasses }, { name });
  if (found !== undefined) return found;
  throw new Error(`volumesnapshotclass.snapshot.storage.k8s.io ${quote(name)} not found`);
};

/** The only class of the volume's driver that is marked as default; none and several are errors. */
const defaultClass = async (world: Snapshotting, snapshot: VolumeSnapshot): Promise<string> => {
  const { spec } = await boundVolume(world, await sourceClaim(world, snapshot), 'snapshot');
  if (spec?.csi === undefined)
    throw new Error(`snapshotting non-CSI volumes is not supported, snapshot:${keyOf(snapshot)}`);
  const { driver } = spec.csi;
  const isDefault = (one: VolumeSnapshotClass) =>
    annotationOf(one, annotations.isDefaultClass) === 'true' && one.driver === driver;
  const cached = world.classes.list().filter(isDefault);
  const present = async () => (await world.client.resource(volumeSnapshotClasses).list()).items;
  // It may have been made a moment ago.
  const defaults = cached.length > 0 ? cached : (await present()).filter(isDefault);
  const [first] = defaults;
  if (first === undefined) throw new Error('cannot find default snapshot class');
  if (defaults.length > 1) throw new Error(`${defaults.length} default snapshot classes were found`);
  return nameOf(first);
};
