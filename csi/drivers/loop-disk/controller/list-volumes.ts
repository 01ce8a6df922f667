import { CsiError } from '../../../error.ts';
import type { ListVolumesRequest, ListVolumesResponse } from '../../../types.ts';
import type { ControllerContext } from './context.ts';
import { statusOf, volumeOf } from './volume.ts';

/**
 * All disks of the cloud, with the nodes that they are attached to. A token that was not given by this: ABORTED (CSI
 * spec, ListVolumes).
 */
export async function listVolumes(
  { cloud, vendor }: ControllerContext,
  { maxEntries, startingToken }: ListVolumesRequest,
): Promise<ListVolumesResponse> {
  checkMaxEntries(maxEntries);
  const { items, next = '' } = await cloud.listDisks({ limit: maxEntries, token: startingToken });
  return {
    entries: items.map((disk) => ({ volume: volumeOf(vendor, disk), status: statusOf(vendor, disk) })),
    nextToken: next,
  };
}

/** Throws INVALID_ARGUMENT. */
export function checkMaxEntries(maxEntries: number): void {
  if (maxEntries < 0) throw new CsiError('INVALID_ARGUMENT', `max_entries ${maxEntries} is negative`);
}
