import { openCloud } from './cloud.ts';
import type { CloudLog } from './cloud.ts';
import { recover } from './recover.ts';
import { putZone } from './regions/zones.ts';
import type { PutZoneRequest } from './regions/zones.ts';
import { refuseLivingServer, serveCloud } from './serve.ts';

export interface StartCloudOptions {
  /** The pool: disks, snapshots and the records of them. */
  dir: string;
  socketPath: string;
  log: CloudLog;
  /** Zones to have; more can be made through the API. Default: zone `local-a` of region `local`. */
  zones?: PutZoneRequest[];
}

/**
 * Starts the cloud: brings devices and pool into agreement with its records, then serves its API. `stop()` ends the API
 * and leaves disks attached: what uses them goes on, and the next start finds them.
 */
export async function startCloud({
  dir,
  socketPath,
  log,
  zones = [{ name: 'local-a', region: 'local' }],
}: StartCloudOptions): Promise<{ stop(): Promise<void> }> {
  await refuseLivingServer(socketPath); // before anything of the pool is touched: it may be at work there
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
