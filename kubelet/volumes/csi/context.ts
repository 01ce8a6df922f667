import type { Pod, PersistentVolumeClaim } from '../../../api/types.ts';
import type { Clock } from '../../../client/clock.ts';
import type { Client } from '../../../client/rest.ts';
import type { OwnNode } from '../../node/own-node.ts';
import type { CsiDrivers } from '../../plugin-registration/csi-drivers.ts';
import type { DeviceManager } from '../devices/device-manager.ts';
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
  events: VolumeEvents;
}

/** Events that are no failure of a mount, which its worker tells. */
export interface VolumeEvents {
  pod(pod: Pod, event: ObjectEvent): void;
  claim(claim: PersistentVolumeClaim, event: ObjectEvent): void;
}

export interface ObjectEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

export const csiPluginName = 'kubernetes.io/csi';
