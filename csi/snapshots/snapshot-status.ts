import { isDeepStrictEqual } from 'node:util';
import { quantityOf, quantityValue } from '../../api/quantity.ts';
import { timeOf } from '../../client/clock.ts';
import { isConflict } from '../../client/errors.ts';
import { keyOf } from '../../client/objects.ts';
import { nameOf } from './names.ts';
import { groupNameOf } from './groups/membership.ts';
import { volumeSnapshots } from './resources.ts';
import { updateFailed, wordsOf } from './snapshotting.ts';
import type { Snapshotting } from './snapshotting.ts';
import type { VolumeSnapshot, VolumeSnapshotContent, VolumeSnapshotStatus } from './types.ts';

/**
 * Brings what the content says into the snapshot's status, and tells in events when the snapshot was taken and is ready. Rejects
 * with a Conflict when the snapshot is newer on the server.
 */
export const updateSnapshotStatus = async (
  world: Snapshotting,
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent,
): Promise<VolumeSnapshot> => {
  const status = statusOf(snapshot, content, groupNameOf(world, snapshot, content));
  if (isDeepStrictEqual(status, snapshot.status)) return snapshot;
  const updated = await write(world, { ...snapshot, status });
  const key = keyOf(snapshot);
  const tell = (reason: string, message: string) =>
    world.recorder.event({ object: snapshot, type: 'Normal', reason, message });
  if (snapshot.status?.creationTime === undefined && status.creationTime !== undefined)
    tell('SnapshotCreated', `Snapshot ${key} was successfully created by the CSI driver.`);
  if (snapshot.status?.readyToUse !== true && status.readyToUse === true)
    tell('SnapshotReady', `Snapshot ${key} is ready to use.`);
  return updated;
};

/** What is known stays; readyToUse and error follow the content. */
export const statusOf = (
  { status: before = {} }: VolumeSnapshot,
  content: VolumeSnapshotContent,
  groupName?: string,
): VolumeSnapshotStatus => {
  const { creationTime, readyToUse = false, restoreSize, error } = content.status ?? {};
  const { error: _, ...known } = before;
  return {
    ...(creationTime === undefined ? {} : { creationTime: timeOf(creationTime / 1e6) }),
    ...(groupName === undefined ? {} : { volumeGroupSnapshotName: groupName }),
    boundVolumeSnapshotContentName: nameOf(content),
    ...known,
    ...(restoreSize !== undefined && isSizeUnknown(known.restoreSize)
      ? { restoreSize: quantityOf(restoreSize, 'BinarySI') }
      : {}),
    readyToUse,
    ...(error === undefined ? {} : { error }),
  };
};

const isSizeUnknown = (size: string | undefined): boolean => size === undefined || quantityValue(size) === 0;

const write = ({ client }: Snapshotting, object: VolumeSnapshot): Promise<VolumeSnapshot> =>
  client
    .resource(volumeSnapshots)
    .updateStatus({ object })
    .catch((error: unknown) => {
      if (isConflict(error)) throw error;
      throw updateFailed(keyOf(object), wordsOf(error), { cause: error });
    });
