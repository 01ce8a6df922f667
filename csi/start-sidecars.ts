import type { Logger } from 'pino';
import { systemClock } from '../client/clock.ts';
import type { Clock } from '../client/clock.ts';
import { createRecorders } from '../client/controller.ts';
import type { ControllerFactory } from '../client/controller.ts';
import { createInformerFactory } from '../client/informer-factory.ts';
import { runWhileElected } from '../client/leader-election.ts';
import type { Client } from '../client/rest.ts';
import { createAttacher } from './sidecars/attacher/attacher.ts';
import type { AttacherOptions } from './sidecars/attacher/attacher.ts';
import { createCapacityTracker } from './sidecars/capacity/capacity.ts';
import type { CapacityOptions } from './sidecars/capacity/capacity.ts';
import { openDriver } from './sidecars/driver.ts';
import type { OpenDriverOptions, SidecarDriver } from './sidecars/driver.ts';
import { createProvisioner } from './sidecars/provisioner/provisioner.ts';
import type { ProvisionerOptions } from './sidecars/provisioner/provisioner.ts';
import { createResizer } from './sidecars/resizer/resizer.ts';
import type { ResizerOptions } from './sidecars/resizer/resizer.ts';
import { csiSnapshotter } from './sidecars/snapshotter/csi-snapshotter.ts';
import { snapshotController } from './snapshots/controller.ts';

export interface SidecarsOptions {
  client: Client;
  log: Logger;
  /** The drivers' controller services; they needn't be up yet. */
  drivers: readonly OpenDriverOptions[];
  clock?: Clock | undefined;
  /** Work only while holding the Lease kube-system/csi-sidecars. */
  leaderElection?: boolean | undefined;
  /** Also handle snapshots, whose custom resources must be installed; true by default. */
  snapshots?: boolean | undefined;
  provisioner?: ProvisionerOptions | undefined;
  attacher?: AttacherOptions | undefined;
  resizer?: ResizerOptions | undefined;
  capacity?: CapacityOptions | undefined;
}

/**
 * Runs for each driver what stands beside a CSI driver's controller service in other clusters (external-provisioner, -attacher,
 * -resizer, csi-snapshotter), and the cluster's one snapshot controller. Resolves at once; each begins when it has seen enough.
 */
export const startSidecars = async (options: SidecarsOptions): Promise<{ stop(): Promise<void> }> => {
  const { client, log, leaderElection = false } = options;
  if (!leaderElection) return runSidecars(options);
  return runWhileElected({
    client,
    name: 'csi-sidecars',
    onError: (error) => log.warn({ err: error }, 'leader election'),
    start: () => runSidecars(options),
  });
};

function runSidecars(options: SidecarsOptions): { stop(): Promise<void> } {
  const { client, log, clock = systemClock, snapshots = true } = options;
  const recorders = createRecorders({ client, clock, log });
  const recorder = (component: string) => recorders.recorder(component);
  const drivers = options.drivers.map(openDriver);
  const run = (factories: ControllerFactory[]) => runControllers(factories, { client, log, clock, recorder });
  const groups = [run(drivers.flatMap((driver) => storageControllers(driver, options)))];
  // Apart: their informers sync only when the custom resources are there, which nothing else should wait for.
  if (snapshots)
    groups.push(run([snapshotController(), ...drivers.map((driver) => csiSnapshotter({ driver }))]));
  return {
    async stop() {
      await Promise.all(groups.map((group) => group.stop()));
      for (const driver of drivers) driver.close();
      recorders.stop();
    },
  };
}

const storageControllers = (
  driver: SidecarDriver,
  { provisioner, attacher, resizer, capacity }: SidecarsOptions,
): ControllerFactory[] => [
  createProvisioner(driver, provisioner),
  createAttacher(driver, attacher),
  createResizer(driver, resizer),
  createCapacityTracker(driver, capacity),
];

type Shared = Omit<Parameters<ControllerFactory>[0], 'informers'>;

function runControllers(factories: ControllerFactory[], shared: Shared): { stop(): Promise<void> } {
  const { client, clock, log } = shared;
  const onError = (error: unknown) => log.warn({ err: error }, 'informer');
  const informers = createInformerFactory({ client, clock, onError });
  const controllers = factories.map((factory) => factory({ ...shared, informers }));
  informers.start();
  return {
    async stop() {
      await informers.stop();
      await Promise.all(controllers.map((controller) => controller.stop()));
    },
  };
}
