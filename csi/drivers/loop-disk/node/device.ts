import { basename } from 'node:path';
import { listLoops, loopAt } from '../../../../linux/loop-device.ts';
import type { LoopDevice } from '../../../../linux/loop-device.ts';
import { CsiError } from '../../../error.ts';

/**
 * The block device of an attached disk, by what ControllerPublish said of it (controller/publish-volume.ts). A device's
 * number may have become another disk's since: after a reboot they are dealt out anew. So it counts only when it is
 * that disk, which its image's name tells as a serial number does on other machines; otherwise the disk is looked for.
 * Throws INVALID_ARGUMENT, FAILED_PRECONDITION when it is not attached.
 */
export function deviceOf(publishContext: Record<string, string>): string {
  const { devicePath = '', diskId = '' } = publishContext;
  if (devicePath === '' || diskId === '')
    throw new CsiError(
      'INVALID_ARGUMENT',
      'publish_context has no devicePath and diskId: the volume is not attached',
    );
  const isDisk = (loop: LoopDevice | undefined) =>
    loop !== undefined && !loop.cutOff && basename(loop.backingFile) === `${diskId}.img`;
  const there = loopAt(devicePath);
  const found = isDisk(there) ? there : listLoops().find(isDisk);
  if (found !== undefined) return found.path;
  throw new CsiError(
    'FAILED_PRECONDITION',
    `disk '${diskId}' is not attached: ${devicePath} is ${there?.backingFile ?? 'nothing'}`,
  );
}
