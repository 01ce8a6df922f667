import { setTimeout as delay } from 'node:timers/promises';
import { serveDriver } from '../../serve.ts';
import type { DriverServices } from '../../serve.ts';
import { connectCloud } from './cloud/client.ts';
import type { CloudLog } from './cloud/cloud.ts';
import { defaultMaxDisks } from './cloud/regions/instances.ts';
import { identityService } from './identity/identity.ts';
import type { NodeContext } from './node/context.ts';
import { nodeExpandVolume } from './node/expand-volume.ts';
import { nodeGetCapabilities, nodeGetInfo } from './node/get-info.ts';
import { nodeGetVolumeStats } from './node/get-volume-stats.ts';
import { nodePublishVolume } from './node/publish-volume.ts';
import { nodeStageVolume } from './node/stage-volume.ts';
import { nodeUnpublishVolume } from './node/unpublish-volume.ts';
import { nodeUnstageVolume } from './node/unstage-volume.ts';
import { vendorOf } from './vendor.ts';

export interface StartNodeOptions {
  /** Also the vendor whose forms it speaks: see vendor.ts. */
  driverName: string;
  socketPath: string;
  nodeName: string;
  region: string;
  zone: string;
  /** How many disks the node takes. */
  maxVolumes?: number;
  /** Where to make this node known as a machine of its zone, which it must be before a disk can be attached to it. */
  cloudSocket?: string;
  log: CloudLog;
}

/** Serves the node side: identity and node services. What is staged and published lasts when it stops. */
export async function startLoopDiskNode(options: StartNodeOptions): Promise<{ stop(): Promise<void> }> {
  const { driverName, socketPath, log } = options;
  const server = await serveDriver({ socketPath, ...nodeServices(options) });
  const aborter = new AbortController();
  const registered = register(options, aborter.signal);
  log.info({ driver: driverName, socketPath }, 'node service of the driver is there');
  return {
    async stop() {
      aborter.abort();
      await registered;
      await server.stop();
    },
  };
}

/** The services, for a server that has more than these. */
export function nodeServices(options: Omit<StartNodeOptions, 'socketPath' | 'cloudSocket'>): DriverServices {
  const { driverName, nodeName, region, zone, maxVolumes = defaultMaxDisks, log } = options;
  const context: NodeContext = {
    vendor: vendorOf(driverName),
    nodeName,
    region,
    zone,
    maxVolumes,
    log,
    busy: new Set(),
  };
  return {
    identity: identityService({ driverName }),
    node: {
      nodeStageVolume: (request) => nodeStageVolume(context, request),
      nodeUnstageVolume: (request) => nodeUnstageVolume(context, request),
      nodePublishVolume: (request) => nodePublishVolume(context, request),
      nodeUnpublishVolume: (request) => nodeUnpublishVolume(context, request),
      nodeGetVolumeStats: (request) => nodeGetVolumeStats(request),
      nodeExpandVolume: (request) => nodeExpandVolume(context, request),
      nodeGetCapabilities: () => nodeGetCapabilities(),
      nodeGetInfo: () => nodeGetInfo(context),
    },
  };
}

const firstRetryMs = 50;
const longestRetryMs = 2000;

/** Tells the cloud of this machine, until it has understood: the cloud may start later than the node. */
async function register(options: StartNodeOptions, signal: AbortSignal): Promise<void> {
  const { cloudSocket, nodeName, region, zone, maxVolumes = defaultMaxDisks, log } = options;
  if (cloudSocket === undefined) return;
  const cloud = connectCloud(cloudSocket);
  try {
    for (let retryMs = firstRetryMs; !signal.aborted; retryMs = Math.min(2 * retryMs, longestRetryMs)) {
      try {
        await cloud.putZone(zone, { region });
        await cloud.putInstance(nodeName, { zone, maxDisks: maxVolumes });
        return;
      } catch (error) {
        if (retryMs >= longestRetryMs)
          log.warn({ err: error }, 'the cloud does not know this node yet; trying again');
        await delay(retryMs, undefined, { signal }).catch(() => undefined); // stopped: the loop ends
      }
    }
  } finally {
    cloud.close();
  }
}
