import { fileSystemsToMake } from '../../../linux/make-filesystem.ts';
import type { FileSystemType } from '../../../linux/make-filesystem.ts';
import { CsiError } from '../../error.ts';
import type { VolumeCapability, VolumeCapabilityAccessModeMode } from '../../types.ts';
import type { AttachMode } from './cloud/types.ts';

/**
 * How each access mode is attached. A file system of a disk belongs to one node that writes, or to readers; as a bare
 * block device it may be shared by writers too, who have to agree among themselves.
 */
const modes: Record<VolumeCapabilityAccessModeMode, { mount?: AttachMode; block?: AttachMode }> = {
  UNKNOWN: {},
  SINGLE_NODE_WRITER: { mount: 'read-write', block: 'read-write' },
  SINGLE_NODE_SINGLE_WRITER: { mount: 'read-write', block: 'read-write' },
  SINGLE_NODE_MULTI_WRITER: { mount: 'read-write', block: 'read-write' },
  SINGLE_NODE_READER_ONLY: { mount: 'read-only', block: 'read-only' },
  MULTI_NODE_READER_ONLY: { mount: 'read-only', block: 'read-only' },
  MULTI_NODE_SINGLE_WRITER: { block: 'shared-write' },
  MULTI_NODE_MULTI_WRITER: { block: 'shared-write' },
};

/** How a volume is attached for a capability; undefined when the driver cannot do that. */
export function attachModeFor(
  capability: VolumeCapability,
  { readonly = false } = {},
): AttachMode | undefined {
  const mode =
    modes[capability.accessMode?.mode ?? 'UNKNOWN'][capability.block === undefined ? 'mount' : 'block'];
  return mode === 'read-write' && readonly ? 'read-only' : mode;
}

/** Why a capability is not supported, in words; undefined when it is. */
export function whyUnsupported(capability: VolumeCapability): string | undefined {
  const { mount, block, accessMode } = capability;
  if (mount === undefined && block === undefined) return 'access type is missing: neither mount nor block';
  if (accessMode === null || accessMode.mode === 'UNKNOWN') return 'access mode is missing';
  if (attachModeFor(capability) === undefined)
    return `access mode ${accessMode.mode} is not possible for a file system on a disk; it is for volumeMode Block`;
  if (mount !== undefined && mount.fsType !== '' && fileSystemOf(mount.fsType) === undefined)
    return `fsType '${mount.fsType}' is not supported; use one of ${fileSystemsToMake.join(', ')}`;
  return undefined;
}

const fileSystemOf = (name: string): FileSystemType | undefined =>
  fileSystemsToMake.find((type) => type === name);

/** The file system that a capability asks for; undefined leaves it to the driver. */
export const wantedFileSystem = (capability: VolumeCapability): FileSystemType | undefined =>
  fileSystemOf(capability.mount?.fsType ?? '');

/** Throws INVALID_ARGUMENT when a capability is missing or not supported. */
export function checkCapability(capability: VolumeCapability | null): VolumeCapability {
  if (capability === null)
    throw new CsiError('INVALID_ARGUMENT', 'volume capability is missing in the request');
  const why = whyUnsupported(capability);
  if (why !== undefined) throw new CsiError('INVALID_ARGUMENT', `volume capability not supported: ${why}`);
  return capability;
}

/** Throws INVALID_ARGUMENT when there are none, or one is not supported. */
export function checkCapabilities(capabilities: VolumeCapability[]): void {
  if (capabilities.length === 0)
    throw new CsiError('INVALID_ARGUMENT', 'volume capabilities are missing in the request');
  for (const capability of capabilities) checkCapability(capability);
}

/** Throws INVALID_ARGUMENT when a field that the spec requires is empty. */
export function required(name: string, value: string): string {
  if (value === '') throw new CsiError('INVALID_ARGUMENT', `${name} is missing in the request`);
  return value;
}
