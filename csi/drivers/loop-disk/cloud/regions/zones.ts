import type { Cloud } from '../cloud.ts';
import { CloudError } from '../errors.ts';
import type { Zone } from '../types.ts';
import { checkName, checkSize } from '../validation.ts';

/** What a zone promises when nobody said: much more than most pools hold, for disks are sparse. */
const defaultZoneBytes = 16 * 1024 ** 4;

export interface PutZoneRequest {
  name: string;
  region: string;
  capacityBytes?: number;
}

/** Makes a zone, or gives it another capacity. A zone stays in its region. */
export async function putZone(cloud: Cloud, { name, region, capacityBytes }: PutZoneRequest): Promise<Zone> {
  checkName('zone', name);
  checkName('region', region);
  if (name === 'snapshots' || region === 'records')
    throw new CloudError(
      'INVALID_PARAMETER',
      `'${name}' in region '${region}' is not a name for a zone: the pool uses it`,
    );
  if (capacityBytes !== undefined) checkSize('capacityBytes', capacityBytes);
  return await cloud.locks.withLock(`zone ${name}`, async () => {
    const existing = cloud.zones.get(name);
    if (existing !== undefined && existing.region !== region)
      throw new CloudError(
        'NAME_CONFLICT',
        `zone '${name}' is in region '${existing.region}', not '${region}'`,
      );
    const wanted = {
      name,
      region,
      capacityBytes: capacityBytes ?? existing?.capacityBytes ?? defaultZoneBytes,
    };
    if (existing?.capacityBytes !== wanted.capacityBytes) await cloud.zones.put(name, wanted);
    return getZone(cloud, name);
  });
}

/** Throws ZONE_NOT_FOUND. */
export function getZone(cloud: Cloud, name: string): Zone {
  const zone = cloud.zones.get(name);
  if (zone === undefined) throw new CloudError('ZONE_NOT_FOUND', `there is no zone '${name}'`);
  const allocated = cloud.disks
    .all()
    .reduce((sum, disk) => sum + (disk.zone === name ? disk.sizeBytes : 0), 0);
  return { ...zone, allocatedBytes: allocated + (cloud.reservedBytes.get(name) ?? 0) };
}

export const listZones = (cloud: Cloud): Zone[] =>
  cloud.zones
    .all()
    .map(({ name }) => getZone(cloud, name))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));

/** Throws ZONE_FULL when the zone cannot promise so many bytes more. */
export function checkZoneSpace(cloud: Cloud, name: string, bytes: number): void {
  const { capacityBytes, allocatedBytes } = getZone(cloud, name);
  const left = Math.max(0, capacityBytes - allocatedBytes);
  if (bytes > left)
    throw new CloudError(
      'ZONE_FULL',
      `zone '${name}' has ${left} of ${capacityBytes} bytes left, ${bytes} were asked for`,
    );
}
