import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { failpoint } from '../../../../linux/failpoint.ts';
import { bindMount } from '../../../../linux/mount.ts';
import { mountAt } from '../../../../linux/mount-info.ts';
import type { MountInfo } from '../../../../linux/mount-info.ts';
import { CsiError } from '../../../error.ts';
import type {
  NodePublishVolumeRequest,
  NodePublishVolumeResponse,
  VolumeCapability,
} from '../../../types.ts';
import { checkCapability, required } from '../capabilities.ts';
import { alone } from './context.ts';
import type { NodeContext } from './context.ts';
import { deviceOf } from './device.ts';
import { mountsOfDevice, mountsOfDeviceNode } from './mounts.ts';

/**
 * Makes a staged volume visible at the target path: a bind mount of the staging directory, or of the device's node for
 * a block volume. Published there already: nothing to do; in another way: ALREADY_EXISTS. A second target against
 * SINGLE_NODE_SINGLE_WRITER: FAILED_PRECONDITION (CSI spec, NodePublishVolume).
 */
export async function nodePublishVolume(
  context: NodeContext,
  request: NodePublishVolumeRequest,
): Promise<NodePublishVolumeResponse> {
  const volumeId = required('volume_id', request.volumeId);
  const target = required('target_path', request.targetPath);
  const capability = checkCapability(request.volumeCapability);
  const staging = required('staging_target_path', request.stagingTargetPath);
  const device = deviceOf(request.publishContext);
  return await alone(context, volumeId, async () => {
    const { readonly } = request;
    if (capability.block === undefined) await publishMount({ staging, target, capability, device, readonly });
    else await publishBlock({ staging, target, capability, device, readonly });
    return {};
  });
}

interface Publishing {
  staging: string;
  target: string;
  capability: VolumeCapability;
  device: string;
  readonly: boolean;
}

async function publishMount(publishing: Publishing): Promise<void> {
  const { staging, target, device, readonly } = publishing;
  const mounts = mountsOfDevice(device);
  const staged = mountAt(staging);
  if (mounts.every(({ id }) => id !== staged?.id))
    throw new CsiError('FAILED_PRECONDITION', `the volume is not staged at ${staging}`);
  if (isPublished(publishing, mounts)) return;
  mkdirSync(target, { recursive: true, mode: 0o750 });
  await failpoint('csi.publish.before-mount');
  bindMount({ source: staging, target, readOnly: readonly });
  await failpoint('csi.publish.after-mount');
}

async function publishBlock(publishing: Publishing): Promise<void> {
  const { target, device, readonly } = publishing;
  if (isPublished(publishing, mountsOfDeviceNode(device))) return;
  mkdirSync(dirname(target), { recursive: true, mode: 0o750 });
  closeSync(openSync(target, 'a', 0o600)); // what a file is mounted on is a file
  await failpoint('csi.publish.before-mount');
  bindMount({ source: device, target, readOnly: readonly });
  await failpoint('csi.publish.after-mount');
}

function isPublished({ staging, target, capability, readonly }: Publishing, mounts: MountInfo[]): boolean {
  const there = mountAt(target);
  const staged = mountAt(staging);
  const published = mounts.filter(({ id }) => id !== staged?.id);
  if (there === undefined) {
    const [other] = published;
    if (capability.accessMode?.mode === 'SINGLE_NODE_SINGLE_WRITER' && other !== undefined)
      throw new CsiError(
        'FAILED_PRECONDITION',
        `the volume is published at ${other.mountPoint} already, and access mode SINGLE_NODE_SINGLE_WRITER allows one place`,
      );
    return false;
  }
  if (published.every(({ id }) => id !== there.id))
    throw new CsiError('FAILED_PRECONDITION', `${target} has something else mounted: ${there.source}`);
  if (there.options.includes('ro') !== readonly && !there.superOptions.includes('ro'))
    throw new CsiError(
      'ALREADY_EXISTS',
      `${target} is published already, ${readonly ? 'to be written' : 'read-only'}`,
    );
  return true;
}
