import type { Clock } from '../../../client/clock.ts';
import type { Client } from '../../../client/rest.ts';
import type { OwnNode } from '../../node/own-node.ts';
import type { CsiDrivers } from '../../plugin-registration/csi-drivers.ts';
import type { Device } from '../devices/device.ts';
import type { DeviceManager } from '../devices/device-manager.ts';
import type { VolumeEvents } from '../volume-events.ts';
import type { DriverObjects } from './driver-objects.ts';

/** What the volumes behind CSI drivers work with. */
export interface CsiContext {
  /** The kubelet's directory. */
  rootDir: string;
  nodeName: string;
  client: Client;
  clock: Clock;
  ownNode: Pick<OwnNode, 'node' | 'onChange'>;
  drivers: CsiDrivers;
  driverObjects: DriverObjects;
  devices: DeviceManager;
  /** Asks the driver again how many volumes the node can have. */
  refreshLimit(driverName: string): Promise<void>;
  /** What the Pods' volumes hold, by the volume's folder: known before there are notes of it on disk. */
  held: Map<string, Device>;
  events: VolumeEvents;
}

export const csiPluginName = 'kubernetes.io/csi';
