import type { Node } from '../../../api/types.ts';
import type { Clock } from '../../../client/clock.ts';
import type { OwnNode } from '../../node/own-node.ts';
import { Device } from './device.ts';
import type { DeviceOptions } from './device.ts';

/** All volumes that this node has staged, may have staged, or has a Pod for. */
export interface DeviceManager {
  /** The device of this name, made when it isn't there. */
  device(options: DeviceOptions): Device;
  find(uniqueName: string): Device | undefined;
  /** Resolves when the volume may be staged; at once when no controller attaches it. Rejects with the signal's reason. */
  waitForAttach(device: Device, signal: AbortSignal): Promise<void>;
  /** Whether waitForAttach would resolve at once. */
  isAttached(device: Device): boolean;
  /** For node.status.volumesInUse, right before it is written. `previous` is what it says now. */
  volumesInUse(previous: readonly string[]): string[];
  /** The API server has this in node.status.volumesInUse: its answer when that was written. */
  reportedInUse(node: Node): void;
  /** All Pods of the node are known, and hold what they have: what nobody holds is unstaged. */
  podsAreKnown(): void;
  /** Something has changed that may let a waiting volume go on. */
  look(): void;
  /** What has failed is tried at once. */
  retry(): void;
  /** Volumes whose volumesInUse the node has to tell have changed. The answer takes the listener away. */
  onInUseChange(listener: () => void): () => void;
  close(): void;
}

export interface DeviceManagerOptions {
  clock: Clock;
  ownNode: Pick<OwnNode, 'node' | 'onChange'>;
  onUnstageError: (error: unknown, uniqueName: string) => void;
}

export const createDeviceManager = (options: DeviceManagerOptions): DeviceManager => {
  const { clock, ownNode, onUnstageError } = options;
  const devices = new Map<string, Device>();
  const waiters = new Set<() => void>();
  const listeners = new Set<() => void>();
  let reported = new Set<string>();
  let confirmed: Node | undefined;
  let known = false;
  let lastInUse = '';

  const look = () => waiters.forEach((waiter) => waiter());
  const stopFollowing = ownNode.onChange(look);

  const inUse = () =>
    [...devices.values()]
      .filter((device) => device.isInUse && device.isAttachable)
      .map(({ uniqueName }) => uniqueName);

  const onChange = (uniqueName: string) => {
    if (devices.get(uniqueName)?.isInUse === false) devices.delete(uniqueName);
    const now = inUse().toSorted().join();
    if (now === lastInUse) return;
    lastInUse = now;
    for (const listener of listeners) listener();
  };

  /**
   * The controller takes a volume out of volumesAttached and then looks whether it is in use; here it is the other way round. That keeps
   * the two from missing each other only when volumesAttached is read after volumesInUse was written: not in an older Node.
   */
  const newestNode = () => {
    const seen = ownNode.node();
    return versionOf(seen) >= versionOf(confirmed) ? seen : confirmed;
  };

  const isAttached = (device: Device): boolean => {
    if (!device.isAttachable) return true;
    if (!reported.has(device.uniqueName)) return false;
    const attached = newestNode()?.status?.volumesAttached ?? [];
    return attached.some(({ name }) => name === device.uniqueName);
  };

  return {
    device(wanted) {
      const existing = devices.get(wanted.uniqueName);
      if (existing !== undefined) return existing;
      const made = new Device(wanted, {
        clock,
        onChange: () => onChange(wanted.uniqueName),
        onUnstageError: (error) => onUnstageError(error, wanted.uniqueName),
      });
      devices.set(wanted.uniqueName, made);
      return made;
    },
    find: (uniqueName) => devices.get(uniqueName),
    isAttached,
    async waitForAttach(device, signal) {
      signal.throwIfAborted();
      if (isAttached(device)) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter = () => isAttached(device) && resolve();
      const abort = () => reject(signal.reason);
      waiters.add(waiter);
      signal.addEventListener('abort', abort, { once: true });
      try {
        await promise;
      } finally {
        waiters.delete(waiter);
        signal.removeEventListener('abort', abort);
      }
    },
    volumesInUse(previous) {
      // Until all Pods are known, what was in use still may be.
      const names = known ? inUse() : [...inUse(), ...previous];
      // Once this is on its way, the others may be detached at any moment, not only when the answer is here.
      reported = reported.intersection(new Set(names));
      return [...new Set(names)].toSorted();
    },
    reportedInUse(node) {
      reported = new Set(node.status?.volumesInUse);
      confirmed = node;
      look();
    },
    podsAreKnown() {
      known = true;
      for (const device of devices.values()) device.unstageUnlessHeld();
      for (const listener of listeners) listener();
    },
    look,
    retry() {
      for (const device of devices.values()) device.retry();
    },
    onInUseChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      stopFollowing();
      for (const device of devices.values()) device.close();
    },
  };
};

/** Versions of one resource are numbers that grow. */
const versionOf = (node: Node | undefined): number => Number(node?.metadata?.resourceVersion ?? 0);
