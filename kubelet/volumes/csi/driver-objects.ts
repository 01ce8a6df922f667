import type { CSIDriver } from '../../../api/types.ts';
import { createInformer } from '../../../client/informer.ts';
import { csiDrivers } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';

/** What the cluster says of CSI drivers, by CSIDriver objects. A driver need not have one. */
export interface DriverObjects {
  /** Waits for the first list, then answers from memory. Rejects with Error when there is none in time. */
  get(driverName: string): Promise<CSIDriver | undefined>;
  /** What is known now. */
  known(driverName: string): CSIDriver | undefined;
  onChange(listener: (driver: CSIDriver) => void): () => void;
  stop(): Promise<void>;
}

const syncTimeoutMs = 10_000;

export const followDriverObjects = ({
  client,
  onError,
}: {
  client: Client;
  onError: (error: unknown) => void;
}): DriverObjects => {
  const informer = createInformer<CSIDriver>({ client, resource: csiDrivers, onError });
  const listeners = new Set<(driver: CSIDriver) => void>();
  const tell = (driver: CSIDriver) => listeners.forEach((listener) => listener(driver));
  informer.addHandler({ add: tell, update: tell, delete: tell });
  informer.start();
  const known = (name: string) => informer.lister.get({ name });
  return {
    known,
    async get(name) {
      if (!informer.hasSynced()) {
        await informer.waitForSync(AbortSignal.timeout(syncTimeoutMs)).catch((error: unknown) => {
          throw new Error('timed out waiting for the list of CSIDrivers', { cause: error });
        });
      }
      return known(name);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => informer.stop(),
  };
};

/** A controller attaches the driver's volumes, unless its CSIDriver says otherwise. */
export const attachRequired = (driver: CSIDriver | undefined): boolean =>
  driver?.spec.attachRequired !== false;

export type LifecycleMode = 'Persistent' | 'Ephemeral';

/** Throws Error with upstream's words when the driver has no volumes of this life. */
export const checkLifecycleMode = (
  driver: CSIDriver | undefined,
  { driverName, mode }: { driverName: string; mode: LifecycleMode },
): void => {
  if (driver === undefined) {
    if (mode === 'Persistent') return;
    throw new Error(`volume mode "${mode}" not supported by driver ${driverName} (no CSIDriver object)`);
  }
  const modes = driver.spec.volumeLifecycleModes ?? ['Persistent'];
  if (modes.includes(mode)) return;
  const words = modes.map((each) => JSON.stringify(each)).join(' ');
  throw new Error(`volume mode "${mode}" not supported by driver ${driverName} (only supports [${words}])`);
};
