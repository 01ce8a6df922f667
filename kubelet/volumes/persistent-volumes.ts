import type { Clock } from '../../client/clock.ts';
import type { Client } from '../../client/rest.ts';
import type { OwnNode } from '../node/own-node.ts';
import type { CsiDrivers } from '../plugin-registration/csi-drivers.ts';
import { followClaim } from './claims/follow-claim.ts';
import type { ClaimFollower, FollowClaimOptions } from './claims/follow-claim.ts';
import { csiBlockPlugin } from './csi/block-plugin.ts';
import type { CsiContext } from './csi/context.ts';
import { followDriverObjects } from './csi/driver-objects.ts';
import { csiFileSystemPlugin } from './csi/file-system-plugin.ts';
import { reconstructDevices } from './csi/reconstruct.ts';
import { createDeviceManager } from './devices/device-manager.ts';
import type { DeviceManager } from './devices/device-manager.ts';
import { guardedPlugin } from './guarded-plugin.ts';
import { localBlockPlugin } from './local/block-plugin.ts';
import { localFileSystemPlugin } from './local/file-system-plugin.ts';
import { mountedDevices } from './local/mount-device.ts';
import { localDevice } from './local/source.ts';
import { nfsPlugin } from './nfs.ts';
import type { VolumePlugin } from './plugin.ts';
import type { VolumeEvents } from './volume-events.ts';

export interface PersistentVolumesOptions {
  rootDir: string;
  nodeName: string;
  client: Client;
  clock: Clock;
  ownNode: OwnNode;
  drivers: CsiDrivers;
  events: VolumeEvents;
  refreshLimit: CsiContext['refreshLimit'];
  onError: (error: unknown, message: string, fields?: Record<string, unknown>) => void;
}

/** The part of the volumes that outlives Pods: claims, what is behind them, and what of it is on this node. */
export interface PersistentVolumes {
  plugins: readonly VolumePlugin[];
  /** Any plugin, kept from PersistentVolumes that this node must not use. */
  guarded(plugin: VolumePlugin): VolumePlugin;
  devices: DeviceManager;
  driverObjects: CsiContext['driverObjects'];
  followClaim: (options: Omit<FollowClaimOptions, 'client' | 'clock'>) => ClaimFollower;
  /** Finds what is staged, once, before the Pods' own volumes are taken over. */
  reconstruct(): void;
  /** Called when something has come that a failed step may have lacked. The answer takes the listener away. */
  onRetry(listener: () => void): () => void;
  close(): Promise<void>;
}

export const createPersistentVolumes = (options: PersistentVolumesOptions): PersistentVolumes => {
  const { client, clock, ownNode, drivers, onError } = options;
  const driverObjects = followDriverObjects({
    client,
    onError: (error) => onError(error, 'watch of the CSIDrivers failed'),
  });
  const devices = createDeviceManager({
    clock,
    ownNode,
    onUnstageError: (error, volume) => onError(error, 'UnmountDevice failed', { volume }),
  });
  const context: CsiContext = { ...options, driverObjects, devices, held: new Map() };
  // A driver that needs no attachment is known as such only now.
  driverObjects.onChange(() => devices.look());
  return {
    plugins: [
      csiFileSystemPlugin(context),
      csiBlockPlugin(context),
      localFileSystemPlugin(context),
      localBlockPlugin(context),
      nfsPlugin,
    ],
    guarded: (plugin) => guardedPlugin(plugin, ownNode),
    devices,
    driverObjects,
    followClaim: (claim) => followClaim({ ...claim, client, clock }),
    reconstruct() {
      reconstructDevices(context);
      for (const name of mountedDevices(options.rootDir)) localDevice(context, name, { state: 'uncertain' });
    },
    onRetry(listener) {
      return drivers.onAdded(() => {
        devices.retry();
        listener();
      });
    },
    async close() {
      devices.close();
      await driverObjects.stop();
    },
  };
};
