import type { Cloud } from '../cloud.ts';
import { CloudError } from '../errors.ts';
import type { Instance } from '../types.ts';
import { checkName } from '../validation.ts';
import { getZone } from './zones.ts';

/** As many as a machine of most vendors takes. */
export const defaultMaxDisks = 127;

export interface PutInstanceRequest {
  name: string;
  zone: string;
  maxDisks?: number;
}

/** Makes a machine known. It moves to another zone only when no disk is attached to it. Throws ZONE_NOT_FOUND. */
export async function putInstance(cloud: Cloud, request: PutInstanceRequest): Promise<Instance> {
  const { name, zone, maxDisks = defaultMaxDisks } = request;
  checkName('instance', name);
  const { region } = getZone(cloud, zone);
  if (!Number.isInteger(maxDisks) || maxDisks < 1)
    throw new CloudError('INVALID_PARAMETER', `maxDisks ${maxDisks} is not a whole number above 0`);
  return await cloud.locks.withLock(`instance ${name}`, async () => {
    const existing = cloud.instances.get(name);
    if (existing?.zone === zone && existing.maxDisks === maxDisks) return existing;
    const attached = disksOf(cloud, name).length;
    if (existing !== undefined && existing.zone !== zone && attached > 0)
      throw new CloudError(
        'IN_USE',
        `instance '${name}' has ${attached} disks of zone '${existing.zone}' attached`,
      );
    return await cloud.instances.put(name, { name, region, zone, maxDisks });
  });
}

/** Throws INSTANCE_NOT_FOUND. */
export function getInstance(cloud: Cloud, name: string): Instance {
  const instance = cloud.instances.get(name);
  if (instance === undefined) throw new CloudError('INSTANCE_NOT_FOUND', `there is no instance '${name}'`);
  return instance;
}

/** Forgets a machine. One that is not there is no error. Throws IN_USE while disks are attached. */
export async function deleteInstance(cloud: Cloud, name: string): Promise<void> {
  await cloud.locks.withLock(`instance ${name}`, async () => {
    if (cloud.instances.get(name) === undefined) return;
    const [disk] = disksOf(cloud, name);
    if (disk !== undefined)
      throw new CloudError('IN_USE', `disk '${disk}' is attached to instance '${name}'`);
    cloud.instances.remove(name);
  });
}

/** The ids of the disks attached to a machine. */
export const disksOf = (cloud: Cloud, instance: string): string[] =>
  cloud.disks
    .all()
    .filter((disk) => disk.attachments.some((attachment) => attachment.instance === instance))
    .map(({ id }) => id);
