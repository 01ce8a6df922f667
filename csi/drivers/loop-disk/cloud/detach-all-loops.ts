import { existsSync, realpathSync } from 'node:fs';
import { thawDevice } from '../../../../linux/freeze.ts';
import { cutOffLoop, detachLoop, loopsBelow } from '../../../../linux/loop-device.ts';
import { hasCode } from '../../../../linux/system-error.ts';

/**
 * Takes every loop device away whose file is or was below a directory: at the end of a cluster, after its mounts are
 * gone. A device that is still in use is cut off, and ends at its last close; the paths of these are returned.
 */
export async function detachAllLoops({ dir }: { dir: string }): Promise<string[]> {
  const held: string[] = [];
  for (const loop of loopsBelow(existsSync(dir) ? realpathSync(dir) : dir)) {
    try {
      await thawDevice(loop.path); // a cloud that was killed while it copied
      await detachLoop(loop, { timeoutMs: 1000 });
    } catch (error) {
      if (!hasCode(error, 'EBUSY')) throw error;
      cutOffLoop(loop);
      held.push(loop.path);
    }
  }
  return held;
}
