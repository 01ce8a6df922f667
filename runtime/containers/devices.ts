import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerConfig, Device } from '../cri/types.ts';
import { CriError, invalidArgument, messageOf } from '../errors.ts';

/** A device of the host that a container gets. */
export interface GivenDevice {
  hostPath: string;
  containerPath: string;
  type: 'b' | 'c';
  major: number;
  minor: number;
  /** Of `rwm`: read, write, mknod. */
  permissions: string;
}

/** The devices that a container asks for; a directory stands for all devices in it. Throws for one that is not there. */
export function devicesFor({
  devices,
  CDIDevices,
}: Pick<ContainerConfig, 'devices' | 'CDIDevices'>): GivenDevice[] {
  const [cdi] = CDIDevices;
  if (cdi !== undefined)
    throw invalidArgument(`CDI device ${JSON.stringify(cdi.name)}: CDI devices are not supported`);
  return devices.flatMap(resolveDevice);
}

function resolveDevice(device: Device): GivenDevice[] {
  try {
    const path = realpathSync(device.hostPath);
    if (!statSync(path).isDirectory()) return [describe(path, device)];
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isBlockDevice() || entry.isCharacterDevice())
      .map(({ name }) =>
        describe(join(path, name), { ...device, containerPath: join(device.containerPath, name) }),
      );
  } catch (error) {
    throw new CriError('UNKNOWN', `failed to set devices mapping: ${messageOf(error)}`, { cause: error });
  }
}

function describe(hostPath: string, { containerPath, permissions }: Device): GivenDevice {
  const stat = statSync(hostPath);
  if (!stat.isBlockDevice() && !stat.isCharacterDevice()) throw new Error(`${hostPath}: not a device node`);
  const type = stat.isBlockDevice() ? 'b' : 'c';
  return { hostPath, containerPath, permissions: permissions || 'rwm', type, ...numbersOf(stat.rdev) };
}

// As glibc's major() and minor() take dev_t apart.
const numbersOf = (rdev: number): { major: number; minor: number } => {
  const device = BigInt(rdev);
  return {
    major: Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn)),
    minor: Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn)),
  };
};
