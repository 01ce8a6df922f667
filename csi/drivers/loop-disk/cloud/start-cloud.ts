import { existsSync, realpathSync } from 'node:fs';
import { thawDevice } from '../../../../linux/freeze.ts';
import { cutOffLoop, detachLoop, loopsBelow } from '../../../../linux/loop-device.ts';
import { hasCode } from '../../../../linux/system-error.ts';
import { openCloud } from './cloud.ts';
import type { CloudLog } from './cloud.ts';
import { recover } from './recover.ts';
import { putZone } from './regions/zones.ts';
import type { PutZoneRequest } from './regions/zones.ts';
import { serveCloud } from './serve.ts';

export interface StartCloudOptions {
  /** The pool: disks, snapshots and the records of them. */
  dir: string;
  socketPath: string;
  log: CloudLog;
  /** Zones to have; more can be made through the API. Default: zone `local-a` of region `local`. */
  zones?: PutZoneRequest[];
}

/**
 * Starts the cloud: brings devices and pool into agreement with its records, then serves its API. `stop()` ends the API and leaves disks attached: what
 * uses them goes on, and the next start finds them.
 */
export async function startCloud({
  dir,
  socketPath,
  log,
  zones = [{ name: 'local-a', region: 'local' }],
}: StartCloudOptions): Promise<{ stop(): Promise<void> }> {
  const cloud = openCloud({ dir, log });
  await recover(cloud);
  for (const zone of zones) await putZone(cloud, zone);
  const server = await serveCloud(cloud, socketPath);
  log.info({ dir, canClone: cloud.canClone }, 'the cloud is there');
  return {
    async stop() {
      await server.stop();
      for (const copy of cloud.copies.values()) copy.abort();
      await Promise.all([...cloud.copies.values()].map(({ ended }) => ended));
    },
  };
}

/**
 * Takes every loop device away whose file is or was below a directory: at the end of a cluster, after its mounts are gone. A device that is still in use is
 * cut off, and ends at its last close; the paths of these are returned.
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
