import { CsiError } from '../../../error.ts';
import type { CloudClient } from '../cloud/client.ts';
import { CloudError } from '../cloud/errors.ts';
import type { DiskView } from '../cloud/types.ts';
import type { Vendor } from '../vendor.ts';

/** What the controller service's RPCs work with. It keeps nothing: all that lasts is in the cloud. */
export interface ControllerContext {
  cloud: CloudClient;
  vendor: Vendor;
}

/** The disk that a volume handle names; undefined when there is none, or the handle is not of this vendor's. */
export async function findVolume(
  { cloud, vendor }: ControllerContext,
  handle: string,
): Promise<DiskView | undefined> {
  const name = vendor.parseHandle(handle);
  if (name === undefined) return undefined;
  if ('name' in name) return (await cloud.listDisks(name)).items[0];
  try {
    return await cloud.getDisk(name.id);
  } catch (error) {
    if (!(error instanceof CloudError && error.code === 'DISK_NOT_FOUND')) throw error;
    return (await cloud.listDisks({ name: name.id })).items[0]; // a disk that somebody made by hand and called so
  }
}

/** As findVolume(); throws NOT_FOUND. */
export async function getVolume(context: ControllerContext, handle: string): Promise<DiskView> {
  const disk = await findVolume(context, handle);
  if (disk === undefined) throw new CsiError('NOT_FOUND', `volume '${handle}' does not exist`);
  return disk;
}
