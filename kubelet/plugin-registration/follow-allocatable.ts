import type { CSIDriver } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import { csiTimeoutMs } from './csi-drivers.ts';
import type { CsiDrivers } from './csi-drivers.ts';
import type { NodeDriverInfo } from './node-driver-info.ts';

export interface FollowAllocatableOptions {
  drivers: CsiDrivers;
  driverObjects: {
    known(name: string): CSIDriver | undefined;
    onChange(listener: (driver: CSIDriver) => void): () => void;
  };
  nodeInfo: NodeDriverInfo;
  clock: Clock;
  onError: (error: unknown, message: string, fields?: object) => void;
}

/** Asks a driver how many volumes the node can have, and brings the CSINode up to date. Errors are told. */
export const refreshAllocatable = async (
  { drivers, nodeInfo, onError }: Pick<FollowAllocatableOptions, 'drivers' | 'nodeInfo' | 'onError'>,
  name: string,
): Promise<void> => {
  const driver = drivers.find(name);
  if (driver === undefined) return;
  try {
    const { nodeId, maxVolumesPerNode, accessibleTopology } = await driver.node.nodeGetInfo(
      {},
      { timeoutMs: csiTimeoutMs },
    );
    await nodeInfo.update({ name, nodeId, maxVolumesPerNode, topology: accessibleTopology?.segments ?? {} });
  } catch (error) {
    onError(error, 'Failed to update CSIDriver', { driver: name });
  }
};

/**
 * Asks drivers again how many volumes the node can take, as often as their CSIDriver says (nodeAllocatableUpdatePeriodSeconds, KEP-4876),
 * and keeps the CSINode by the answer.
 */
export const followAllocatable = (options: FollowAllocatableOptions): { stop(): void } => {
  const { drivers, driverObjects, clock } = options;
  const timers = new Map<string, { periodMs: number; cancel: () => void }>();

  const schedule = (name: string, periodMs: number) => {
    const cancel = clock.after(periodMs, () => {
      schedule(name, periodMs);
      void refreshAllocatable(options, name);
    });
    timers.set(name, { periodMs, cancel });
  };

  const look = (name: string) => {
    const seconds = driverObjects.known(name)?.spec.nodeAllocatableUpdatePeriodSeconds ?? 0;
    const periodMs = drivers.find(name) === undefined ? 0 : seconds * 1000;
    if (timers.get(name)?.periodMs === periodMs) return;
    timers.get(name)?.cancel();
    timers.delete(name);
    if (periodMs > 0) schedule(name, periodMs);
  };

  const stopListening = [
    drivers.onAdded(look),
    driverObjects.onChange(({ metadata }) => look(metadata?.name ?? '')),
  ];
  return {
    stop() {
      for (const stop of stopListening) stop();
      for (const { cancel } of timers.values()) cancel();
    },
  };
};
