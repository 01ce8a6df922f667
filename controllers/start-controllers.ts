import type { Logger } from 'pino';
import { systemClock } from '../client/clock.ts';
import type { Clock } from '../client/clock.ts';
import { createInformerFactory } from '../client/informer-factory.ts';
import { runWhileElected } from '../client/leader-election.ts';
import type { Client } from '../client/rest.ts';
import { attachDetachController } from './attach-detach/attach-detach.ts';
import type { AttachDetachOptions } from './attach-detach/attach-detach.ts';
import { clusterRoleAggregation } from './cluster-role-aggregation/cluster-role-aggregation.ts';
import { createRecorders } from '../client/controller.ts';
import type { ControllerFactory } from '../client/controller.ts';
import { ephemeralVolumeController } from './ephemeral-volume/ephemeral-volume.ts';
import { garbageCollector } from './garbage-collector/garbage-collector.ts';
import { namespaceController } from './namespace/namespace-controller.ts';
import { nodeIpamController } from './node-ipam/node-ipam.ts';
import { nodeLifecycleController } from './node-lifecycle/node-lifecycle.ts';
import type { NodeLifecycleOptions } from './node-lifecycle/node-lifecycle.ts';
import { persistentVolumeController } from './persistent-volume/persistent-volume.ts';
import { claimProtectionController } from './pvc-protection/pvc-protection.ts';
import { volumeProtectionController } from './pv-protection/pv-protection.ts';
import { podGarbageCollector } from './pod-garbage-collector/pod-garbage-collector.ts';
import type { PodGarbageCollectorOptions } from './pod-garbage-collector/pod-garbage-collector.ts';
import { rootCaPublisher } from './root-ca-publisher/root-ca-publisher.ts';
import { defaultServiceAccountController } from './service-account/default-service-account.ts';
import { taintEvictionController } from './taint-eviction/taint-eviction.ts';
import { attributesClassProtectionController } from './vac-protection/vac-protection.ts';
import { volumeExpandController } from './volume-expand/volume-expand.ts';

export interface ControllersOptions {
  client: Client;
  log: Logger;
  /** What pods verify the API server with. */
  rootCaPem: string;
  /** Where nodes without a network for their pods get one from, such as 10.244.0.0/16. */
  clusterCidr?: string | undefined;
  /** Work only while holding the Lease kube-system/kube-controller-manager. */
  leaderElection?: boolean;
  nodeLifecycle?: NodeLifecycleOptions;
  podGarbageCollector?: PodGarbageCollectorOptions;
  attachDetach?: AttachDetachOptions;
  clock?: Clock;
}

/** All controllers, in the order in which a new cluster needs them. */
const factoriesOf = (options: ControllersOptions): ControllerFactory[] => [
  defaultServiceAccountController,
  rootCaPublisher(options.rootCaPem),
  ...(options.clusterCidr === undefined ? [] : [nodeIpamController(options.clusterCidr)]),
  nodeLifecycleController(options.nodeLifecycle),
  taintEvictionController,
  namespaceController,
  podGarbageCollector(options.podGarbageCollector),
  clusterRoleAggregation,
  persistentVolumeController(),
  claimProtectionController,
  volumeProtectionController,
  attributesClassProtectionController,
  ephemeralVolumeController,
  volumeExpandController,
  attachDetachController(options.attachDetach),
  garbageCollector,
];

/** Runs the controllers until stopped; resolves at once, each controller works as soon as it has seen enough. */
export const startControllers = async (options: ControllersOptions): Promise<{ stop(): Promise<void> }> => {
  if (options.leaderElection !== true) return runControllers(options);
  return runWhileElected({
    client: options.client,
    name: 'kube-controller-manager',
    onError: (error) => options.log.warn({ err: error }, 'leader election'),
    start: () => runControllers(options),
  });
};

const runControllers = (options: ControllersOptions): { stop(): Promise<void> } => {
  const { client, log, clock = systemClock } = options;
  const onError = (error: unknown) => log.warn({ err: error }, 'informer');
  const informers = createInformerFactory({ client, clock, onError });
  const recorders = createRecorders({ client, clock, log });
  const context = {
    client,
    informers,
    clock,
    log,
    recorder: (component: string) => recorders.recorder(component),
  };
  const controllers = factoriesOf(options).map((factory) => factory(context));
  informers.start();
  return {
    async stop() {
      await informers.stop();
      await Promise.all(controllers.map((controller) => controller.stop()));
      recorders.stop();
    },
  };
};
