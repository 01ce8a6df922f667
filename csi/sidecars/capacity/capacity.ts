import { isDeepStrictEqual } from 'node:util';
import { compareQuantities, quantityOf } from '../../../api/quantity.ts';
import { selectedNode } from '../../../api/storage/annotations.ts';
import type { CSIStorageCapacity } from '../../../api/types.ts';
import { createReconciler } from '../../../client/controller.ts';
import type { Controller, ControllerContext } from '../../../client/controller.ts';
import { isNotFound } from '../../../client/errors.ts';
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
} from '../../../client/resources.ts';
import { sidecarBackOff } from '../back-off.ts';
import type { RetryOptions } from '../back-off.ts';
import type { SidecarDriver } from '../driver.ts';
import { capacityLabels, wantedCapacities } from './wanted-capacities.ts';
import type { CapacityView, WantedCapacity } from './wanted-capacities.ts';

export interface CapacityOptions extends RetryOptions {
  /** Where the objects are kept; kube-system. */
  namespace?: string | undefined;
  /** How often the driver is asked when nothing tells of a change (--capacity-poll-interval). */
  pollIntervalMs?: number | undefined;
  /** Also for classes that don't wait for a Pod (--capacity-for-immediate-binding). */
  immediateBinding?: boolean | undefined;
}

/** Volumes come and go in bursts: a change is looked at after this time, once for all of them. */
const settleMs = 50;

/**
 * Keeps a CSIStorageCapacity for each class of a driver and each place that its volumes can be in, so that the scheduler knows where there
 * is space (KEP-1472; external-provisioner's --enable-capacity). Only for drivers whose CSIDriver says `storageCapacity` and that
 * have GET_CAPACITY. Space is asked for again when a volume was made, grown or deleted, and now and then.
 */
export const createCapacityTracker =
  (driver: SidecarDriver, options: CapacityOptions = {}) =>
  (context: ControllerContext): Controller => {
    const { informers } = context;
    const { namespace = 'kube-system', pollIntervalMs = 60_000, immediateBinding = false } = options;
    const labelSelector = Object.entries(capacityLabels(driver.name))
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    const capacities = informers.informer(csiStorageCapacities, { namespace, labelSelector });
    const view: CapacityView = {
      driver,
      immediateBinding,
      drivers: informers.informer(csiDrivers).lister,
      classes: informers.informer(storageClasses).lister,
      csiNodes: informers.informer(csiNodes).lister,
      nodes: informers.informer(nodes).lister,
    };

    const reconciler = createReconciler({
      name: `csi-provisioner ${driver.name} capacity`,
      context,
      rateLimiter: sidecarBackOff(options),
      async reconcile(name) {
        if (name === everything) return queueAll();
        const wanted = (await wantedCapacities(view)).get(name);
        const present = capacities.lister.get({ namespace, name });
        if (wanted !== undefined) {
          await keep(context, { driver, namespace, present, wanted });
          return { retryAfterMs: pollIntervalMs };
        }
        if (present !== undefined) await remove(context, present);
        return {};
      },
    });
    const queueAll = async (): Promise<void> => {
      for (const name of (await wantedCapacities(view)).keys()) reconciler.queue.add(name);
      for (const { metadata } of capacities.lister.list()) reconciler.queue.add(metadata?.name ?? '');
    };
    const refresh = () => reconciler.queue.addAfter(everything, settleMs);

    reconciler.follow(capacities, ({ metadata }) => [metadata?.name ?? '']);
    reconciler.follow(informers.informer(csiDrivers), ({ metadata }) =>
      metadata?.name === driver.name ? [everything] : [],
    );
    reconciler.follow(informers.informer(storageClasses), () => [everything]);
    reconciler.follow(informers.informer(csiNodes), () => [everything]);
    const unfollow = [
      informers.informer(nodes).addHandler({
        add: refresh,
        update: (node, previous) => {
          if (!isDeepStrictEqual(node.metadata?.labels, previous.metadata?.labels)) refresh();
        },
        delete: refresh,
      }),
      informers.informer(persistentVolumes).addHandler({
        add: refresh,
        update: (volume, previous) => {
          if (!isDeepStrictEqual(volume.spec?.capacity, previous.spec?.capacity)) refresh();
        },
        delete: refresh,
      }),
      // A place without space: the scheduler is to know before it chooses again.
      informers.informer(persistentVolumeClaims).addHandler({
        update: ({ metadata }, previous) => {
          const { annotations } = previous.metadata ?? {};
          if (
            annotations?.[selectedNode] !== undefined &&
            metadata?.annotations?.[selectedNode] === undefined
          )
            refresh();
        },
      }),
    ];
    return {
      async stop() {
        for (const remove of unfollow) remove();
        await reconciler.stop();
      },
    };
  };

const everything = '*';

interface Keep {
  driver: SidecarDriver;
  namespace: string;
  present: CSIStorageCapacity | undefined;
  wanted: WantedCapacity;
}

async function keep(
  { client }: ControllerContext,
  { driver, namespace, present, wanted }: Keep,
): Promise<void> {
  const { name, segments, storageClass } = wanted;
  const answer = await driver.controller.getCapacity({
    accessibleTopology: { segments },
    parameters: storageClass.parameters ?? {},
  });
  const capacity = quantityOf(answer.availableCapacity, 'BinarySI');
  const maximum = answer.maximumVolumeSize;
  const maximumVolumeSize = maximum === null ? undefined : quantityOf(maximum.value, 'BinarySI');
  const resource = client.resource(csiStorageCapacities);
  if (present === undefined) {
    await resource.create({
      object: {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSIStorageCapacity',
        metadata: { name, namespace, labels: capacityLabels(driver.name) },
        storageClassName: storageClass.metadata?.name ?? '',
        nodeTopology: { matchLabels: segments },
        capacity,
        ...(maximumVolumeSize === undefined ? {} : { maximumVolumeSize }),
      },
    });
  } else if (!isSame(present.capacity, capacity) || !isSame(present.maximumVolumeSize, maximumVolumeSize)) {
    const patch = {
      metadata: { uid: present.metadata?.uid },
      capacity,
      maximumVolumeSize: maximumVolumeSize ?? null,
    };
    await resource.patch({ name, namespace, type: 'merge', patch });
  }
}

const isSame = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined ? a === b : compareQuantities(a, b) === 0;

async function remove({ client }: ControllerContext, { metadata }: CSIStorageCapacity): Promise<void> {
  const { name = '', namespace } = metadata ?? {};
  await client
    .resource(csiStorageCapacities)
    .delete({ name, namespace })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
}
