import { isDeepStrictEqual } from 'node:util';
import { isConflict } from '../../../client/errors.ts';
import { keyOf } from '../../../client/objects.ts';
import { nameOf } from '../names.ts';
import { volumeGroupSnapshots } from '../resources.ts';
import { updateFailed, wordsOf } from '../snapshotting.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeGroupSnapshot, VolumeGroupSnapshotContent, VolumeGroupSnapshotStatus } from '../types.ts';

/**
 * Brings what the content says into the group snapshot's status, and tells in events when it was taken and is ready. Rejects with
 * a Conflict when the group snapshot is newer on the server.
 */
export const updateGroupStatus = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
  content: VolumeGroupSnapshotContent,
): Promise<void> => {
  const status = groupStatusOf(group, content);
  if (isDeepStrictEqual(status, group.status)) return;
  await write(world, { ...group, status });
  const tell = (reason: string, message: string) =>
    world.recorder.event({ object: group, type: 'Normal', reason, message });
  const key = keyOf(group);
  if (group.status?.creationTime === undefined && status.creationTime !== undefined)
    tell('GroupSnapshotCreated', `GroupSnapshot ${key} was successfully created by the CSI driver.`);
  if (group.status?.readyToUse !== true && status.readyToUse === true)
    tell('GroupSnapshotReady', `GroupSnapshot ${key} is ready to use.`);
};

/** What is known stays; readyToUse and error follow the content. */
export const groupStatusOf = (
  { status: before = {} }: VolumeGroupSnapshot,
  content: VolumeGroupSnapshotContent,
): VolumeGroupSnapshotStatus => {
  const { creationTime, readyToUse = false, error } = content.status ?? {};
  const { error: _error, ...known } = before;
  return {
    ...(creationTime === undefined ? {} : { creationTime }),
    boundVolumeGroupSnapshotContentName: nameOf(content),
    ...known,
    readyToUse,
    ...(error === undefined ? {} : { error }),
  };
};

const write = ({ client }: Snapshotting, object: VolumeGroupSnapshot): Promise<VolumeGroupSnapshot> =>
  client
    .resource(volumeGroupSnapshots)
    .updateStatus({ object })
    .catch((error: unknown) => {
      if (isConflict(error)) throw error;
      throw updateFailed(keyOf(object), wordsOf(error), { cause: error });
    });
