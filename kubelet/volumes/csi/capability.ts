import type { Sent, VolumeCapability, VolumeCapabilityAccessModeMode } from '../../../csi/types.ts';
import type { RegisteredDriver } from '../../plugin-registration/csi-drivers.ts';
import type { VolumeSpec } from '../volume-spec.ts';

const plainModes: Record<string, VolumeCapabilityAccessModeMode> = {
  ReadWriteOnce: 'SINGLE_NODE_WRITER',
  ReadOnlyMany: 'MULTI_NODE_READER_ONLY',
  ReadWriteMany: 'MULTI_NODE_MULTI_WRITER',
  ReadWriteOncePod: 'SINGLE_NODE_WRITER',
};

/** For drivers that can tell one Pod from one node (SINGLE_NODE_MULTI_WRITER). */
const finerModes: Record<string, VolumeCapabilityAccessModeMode> = {
  ...plainModes,
  ReadWriteOnce: 'SINGLE_NODE_MULTI_WRITER',
  ReadWriteOncePod: 'SINGLE_NODE_SINGLE_WRITER',
};

export interface CapabilityOptions {
  /** Undefined: a block volume. */
  mount?: { fsType: string; mountFlags?: readonly string[]; fsGroup?: number | undefined };
}

/** How a driver is told what a volume is to be. The first of its access modes counts, as upstream's. */
export const capabilityOf = async (
  driver: RegisteredDriver,
  spec: VolumeSpec,
  { mount }: CapabilityOptions,
): Promise<Sent<VolumeCapability>> => {
  const modes = (await driver.supports('SINGLE_NODE_MULTI_WRITER')) ? finerModes : plainModes;
  const wanted = spec.persistentVolume?.spec?.accessModes?.[0] ?? 'ReadWriteOnce';
  const accessMode = { mode: modes[wanted] ?? 'UNKNOWN' };
  if (mount === undefined) return { block: {}, accessMode };
  const { fsType, mountFlags = [], fsGroup } = mount;
  const volumeMountGroup = fsGroup === undefined ? '' : String(fsGroup);
  return { mount: { fsType, mountFlags: [...mountFlags], volumeMountGroup }, accessMode };
};
