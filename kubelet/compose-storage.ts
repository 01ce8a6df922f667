import type { PersistentVolumeClaim, Pod } from '../api/types.ts';
import { wait } from '../client/clock.ts';
import type { Clock } from '../client/clock.ts';
import { isNotFound } from '../client/errors.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { messageOf } from './cri/cri-error.ts';
import type { KubeletOptions } from './kubelet-options.ts';
import type { OwnNode } from './node/own-node.ts';
import { createCsiDrivers } from './plugin-registration/csi-drivers.ts';
import type { CsiDrivers } from './plugin-registration/csi-drivers.ts';
import { followAllocatable, refreshAllocatable } from './plugin-registration/follow-allocatable.ts';
import { createNodeDriverInfo } from './plugin-registration/node-driver-info.ts';
import type { NodeDriverInfo } from './plugin-registration/node-driver-info.ts';
import { startPluginManager } from './plugin-registration/plugin-manager.ts';
import type { ObjectEvent } from './volumes/volume-events.ts';
import { createPersistentVolumes } from './volumes/persistent-volumes.ts';
import type { PersistentVolumes } from './volumes/persistent-volumes.ts';

/** The node's side of persistent storage: the drivers that register, and the volumes behind them. */
export interface NodeStorage {
  persistent: PersistentVolumes;
  drivers: CsiDrivers;
  /** Why the node isn't ready as far as storage goes. */
  notReady(): string[];
  /** The Node is registered: its CSINode is made, and drivers may register. `onChange`: notReady may answer otherwise. */
  start(onChange: () => void): void;
  stop(): Promise<void>;
}

export interface ComposeStorageInput {
  options: KubeletOptions;
  clock: Clock;
  recorder: EventRecorder;
  ownNode: OwnNode;
  /** Puts an event about a Pod; only the kubelet knows it whole. */
  tellPod: (pod: Pod, event: ObjectEvent) => void;
}

export function composeStorage({
  options,
  clock,
  recorder,
  ownNode,
  tellPod,
}: ComposeStorageInput): NodeStorage {
  const { client, nodeName, rootDir, log } = options;
  const onError = (error: unknown, message: string, fields: object = {}) =>
    log.warn({ ...fields, error: messageOf(error) }, message);
  const drivers = createCsiDrivers();
  const nodeInfo = createNodeDriverInfo({ client, nodeName, clock });
  const persistent = createPersistentVolumes({
    rootDir,
    nodeName,
    client,
    clock,
    ownNode,
    drivers,
    onError,
    refreshLimit: (name) => refreshAllocatable({ drivers, nodeInfo, onError }, name),
    events: {
      pod: tellPod,
      claim: (claim, event) => recorder.event({ object: asReference(claim), ...event }),
    },
  });
  const stopping = new AbortController();
  const state = { ready: false, stop: () => {} };
  return {
    persistent,
    drivers,
    notReady: () => (state.ready ? [] : ['CSINode is not yet initialized']),
    start(onChange) {
      if (stopping.signal.aborted) return;
      const begin = async () => {
        await initialize({ nodeInfo, clock, signal: stopping.signal, onError });
        if (stopping.signal.aborted) return;
        state.ready = true;
        onChange();
        const plugins = startPluginManager({ rootDir, clock, log, drivers, nodeInfo });
        const { driverObjects } = persistent;
        const allocatable = followAllocatable({ drivers, driverObjects, nodeInfo, clock, onError });
        state.stop = () => {
          plugins.stop();
          allocatable.stop();
        };
      };
      void begin();
    },
    async stop() {
      stopping.abort();
      state.stop();
      await persistent.close();
      drivers.close();
    },
  };
}

const initializeRetryMs = 500;

/** Until it is done: drivers and the scheduler find each other by the CSINode. */
async function initialize({
  nodeInfo,
  clock,
  signal,
  onError,
}: {
  nodeInfo: NodeDriverInfo;
  clock: Clock;
  signal: AbortSignal;
  onError: (error: unknown, message: string) => void;
}): Promise<void> {
  while (!signal.aborted) {
    try {
      return await nodeInfo.initialize();
    } catch (error) {
      onError(error, 'cannot make the CSINode');
      // A server without storage.k8s.io is no reason for a node not to run Pods.
      if (error instanceof Error && isNotFound(error.cause)) return;
      await wait({ clock, delayMs: initializeRetryMs, signal });
    }
  }
}

const asReference = ({ metadata }: PersistentVolumeClaim) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  name: metadata?.name ?? '',
  namespace: metadata?.namespace ?? '',
  uid: metadata?.uid ?? '',
  ...(metadata?.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
});
