import { connectDriver } from '../../csi/connect.ts';
import type { CsiDriver } from '../../csi/connect.ts';
import type { NodeServiceCapabilityRPCType } from '../../csi/types.ts';
import type { Version } from './version.ts';

/** A driver that has registered on this node. */
export interface RegisteredDriver {
  name: string;
  /** The socket of its node service. */
  endpoint: string;
  version: Version;
  node: CsiDriver['node'];
  /** Asks the driver once; rejects with CsiError. */
  supports(capability: NodeServiceCapabilityRPCType): Promise<boolean>;
}

/** The CSI drivers of this node by name. */
export interface CsiDrivers {
  /** Throws Error with upstream's words when no driver of this name is registered. */
  get(name: string): RegisteredDriver;
  find(name: string): RegisteredDriver | undefined;
  list(): RegisteredDriver[];
  add(driver: { name: string; endpoint: string; version: Version }): RegisteredDriver;
  remove(name: string): void;
  /** Called for each driver that comes, and comes back. The answer takes the listener away. */
  onAdded(listener: (name: string) => void): () => void;
  close(): void;
}

/** Upstream's csiTimeout, for every call to a driver. */
export const csiTimeoutMs = 120_000;

export const createCsiDrivers = (): CsiDrivers => {
  const drivers = new Map<string, RegisteredDriver & { close(): void }>();
  const listeners = new Set<(name: string) => void>();
  const remove = (name: string) => {
    drivers.get(name)?.close();
    drivers.delete(name);
  };
  return {
    get(name) {
      const driver = drivers.get(name);
      if (driver !== undefined) return driver;
      throw new Error(`driver name ${name} not found in the list of registered CSI drivers`);
    },
    find: (name) => drivers.get(name),
    list: () => [...drivers.values()],
    add(wanted) {
      remove(wanted.name);
      const driver = connectedDriver(wanted);
      drivers.set(wanted.name, driver);
      for (const listener of listeners) listener(wanted.name);
      return driver;
    },
    remove,
    onAdded(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      for (const name of drivers.keys()) remove(name);
    },
  };
};

const connectedDriver = (wanted: { name: string; endpoint: string; version: Version }) => {
  const connection = connectDriver({ socketPath: wanted.endpoint });
  let capabilities: Promise<Set<string>> | undefined;
  const ask = async () => {
    const answer = await connection.node.nodeGetCapabilities({}, { timeoutMs: csiTimeoutMs });
    return new Set<string>(answer.capabilities.map(({ rpc }) => rpc?.type ?? 'UNKNOWN'));
  };
  return {
    ...wanted,
    node: connection.node,
    async supports(capability: NodeServiceCapabilityRPCType) {
      capabilities ??= ask();
      try {
        return (await capabilities).has(capability);
      } catch (error) {
        // A driver that couldn't answer is asked again the next time.
        capabilities = undefined;
        throw error;
      }
    },
    close: () => connection.close(),
  };
};
