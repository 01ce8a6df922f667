import { mkdirSync } from 'node:fs';
import { isHeld } from '../../../../linux/block-device.ts';
import { probeDisk } from '../../../../linux/disk-content.ts';
import type { DiskContent } from '../../../../linux/disk-content.ts';
import { failpoint } from '../../../../linux/failpoint.ts';
import { checkExt, growFileSystem, growUnmounted } from '../../../../linux/grow-filesystem.ts';
import { loopAt } from '../../../../linux/loop-device.ts';
import { makeFileSystem } from '../../../../linux/make-filesystem.ts';
import type { FileSystemType } from '../../../../linux/make-filesystem.ts';
import { mountWaiting, parseMountOptions, unmountWaiting } from '../../../../linux/mount.ts';
import type { MountOptions } from '../../../../linux/mount.ts';
import { hasCode } from '../../../../linux/system-error.ts';
import { mountAt } from '../../../../linux/mount-info.ts';
import { CsiError } from '../../../error.ts';
import type { NodeStageVolumeRequest, NodeStageVolumeResponse, VolumeCapability } from '../../../types.ts';
import { attachModeFor, checkCapability, required, wantedFileSystem } from '../capabilities.ts';
import { alone } from './context.ts';
import type { NodeContext } from './context.ts';
import { deviceOf } from './device.ts';
import { isReadOnly, mountsOfDevice } from './mounts.ts';

/** What an empty disk gets when nobody says. */
const defaultFileSystem: FileSystemType = 'ext4';

/**
 * Mounts an attached disk at the staging path: an empty disk is given a file system first, one with a file system is
 * checked and let grow into its disk, one with anything else is refused. A block volume needs nothing here. Staged
 * already: nothing to do; in another way: ALREADY_EXISTS (CSI spec, NodeStageVolume).
 *
 *   look ─┬─ empty, unfinished ── mkfs ─┬─ mount ── grow
 *         └─ file system ── check ──────┘          every step can be the last before a crash: the next call looks again
 */
export async function nodeStageVolume(
  context: NodeContext,
  request: NodeStageVolumeRequest,
): Promise<NodeStageVolumeResponse> {
  const volumeId = required('volume_id', request.volumeId);
  const target = required('staging_target_path', request.stagingTargetPath);
  const capability = checkCapability(request.volumeCapability);
  refusePartition(request.volumeContext);
  const device = deviceOf(request.publishContext);
  if (capability.block !== undefined) return {};
  return await alone(context, volumeId, async () => {
    const readOnly = attachModeFor(capability) === 'read-only' || loopAt(device)?.readOnly === true;
    if (isStaged({ device, target, capability, readOnly })) return {};
    await stage(context, { device, target, capability, readOnly });
    return {};
  });
}

interface Staging {
  device: string;
  target: string;
  capability: VolumeCapability;
  readOnly: boolean;
}

/** In-tree volumes could name one; no device has partitions here. */
function refusePartition({ partition = '' }: Record<string, string>): void {
  if (partition === '' || partition === '0') return;
  throw new CsiError(
    'INVALID_ARGUMENT',
    `partition '${partition}' of a disk cannot be mounted; only whole disks can`,
  );
}

function isStaged({ device, target, capability, readOnly }: Staging): boolean {
  const mount = mountAt(target);
  if (mount === undefined) return false;
  const ours = mountsOfDevice(device).some(({ id }) => id === mount.id);
  if (!ours)
    throw new CsiError('FAILED_PRECONDITION', `${target} has something else mounted: ${mount.source}`);
  const type = wantedFileSystem(capability);
  if ((type !== undefined && type !== mount.type) || (isReadOnly(mount) && !readOnly))
    throw new CsiError(
      'ALREADY_EXISTS',
      `${target} is mounted already, ${mount.type} (${mount.options.join(',')})`,
    );
  return true;
}

async function stage(context: NodeContext, staging: Staging): Promise<void> {
  const { device, target, capability, readOnly } = staging;
  const { type, isNew } = await prepare(context, staging);
  await failpoint('csi.stage.before-mount');
  const { flags, data } = parseMountOptions(capability.mount?.mountFlags ?? []);
  mkdirSync(target, { recursive: true, mode: 0o750 });
  const options = {
    source: device,
    target,
    type,
    flags: readOnly && !flags.includes('ro') ? [...flags, 'ro' as const] : flags,
    // A snapshot or clone has the identity of its origin, which may be mounted on this machine too.
    data: [...(type === 'xfs' ? ['nouuid'] : []), ...(data === '' ? [] : [data])].join(','),
  };
  await mountDisk(options);
  await failpoint('csi.stage.after-mount');
  if (!readOnly && !isNew) await growIntoDisk(options);
}

/** A disk restored into a larger one, or expanded while nobody used it, has a file system that does not know. */
async function growIntoDisk(options: MountOptions & { source: string }): Promise<void> {
  const { source, target } = options;
  try {
    await growFileSystem(target, source);
  } catch (error) {
    if (!hasCode(error, 'EPERM')) throw error;
    // Without CAP_SYS_RESOURCE ext4 grows only while it is not mounted.
    await unmountWaiting(target);
    await growUnmounted(source);
    await mountDisk(options);
  }
}

async function mountDisk(options: MountOptions): Promise<void> {
  try {
    await mountWaiting(options);
  } catch (error) {
    const words = [...(options.flags ?? []), options.data].filter(Boolean).join(',');
    throw new CsiError('INTERNAL', `${(error as Error).message}, with options '${words}'`, { cause: error });
  }
}

/** Makes sure that the disk has the wanted file system, and says which it has. */
async function prepare(
  context: NodeContext,
  { device, capability, readOnly }: Staging,
): Promise<{ type: FileSystemType; isNew: boolean }> {
  const wanted = wantedFileSystem(capability);
  // Mounted elsewhere on this machine (or still being formatted by a program that outlived us).
  const held = isHeld(device);
  if (held && mountsOfDevice(device).length === 0)
    throw new CsiError('ABORTED', `${device} is in use by a program of this machine`);
  const content = await probeDisk(device);
  await failpoint('csi.stage.after-probe');
  if (content.kind === 'empty' || content.kind === 'unfinished') {
    if (readOnly)
      throw new CsiError('FAILED_PRECONDITION', `${device} is empty, and read-only: it cannot be formatted`);
    const type = wanted ?? defaultFileSystem;
    await format(context, device, type);
    return { type, isNew: true };
  }
  const type = existingType(device, content, wanted);
  if (!readOnly && !held) await check(device, content);
  return { type, isNew: false };
}

async function format({ log }: NodeContext, device: string, type: FileSystemType): Promise<void> {
  await failpoint('csi.stage.before-mkfs');
  await makeFileSystem(device, type);
  log.info({ device, type }, 'formatted an empty disk');
  await failpoint('csi.stage.after-mkfs');
}

function existingType(
  device: string,
  content: DiskContent,
  wanted: FileSystemType | undefined,
): FileSystemType {
  if (content.kind !== 'file system')
    throw new CsiError(
      'FAILED_PRECONDITION',
      `${device} is not empty and has no file system that can be mounted (${content.kind === 'other' ? content.words : content.kind}); it is left as it is`,
    );
  if (wanted === undefined || wanted === content.type) return content.type;
  throw new CsiError(
    'FAILED_PRECONDITION',
    `${device} has a file system of type ${content.type}, not ${wanted}; it is not formatted again`,
  );
}

/** A clean file system needs no check: e2fsck -p would find its flag and end. A journal is replayed by the mount. */
async function check(device: string, content: DiskContent): Promise<void> {
  if (content.kind !== 'file system' || content.type === 'xfs' || !content.unclean) return;
  try {
    await checkExt(device);
  } catch (error) {
    throw new CsiError(
      'INTERNAL',
      `the file system of ${device} has errors that were not mended: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
