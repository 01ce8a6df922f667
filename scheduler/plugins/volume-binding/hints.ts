import { isDeepStrictEqual } from 'node:util';
import { migratedPluginsAnnotation } from '../../../csi/translation/index.ts';
import type { CSIDriver, CSIStorageCapacity, StorageClass } from '../../../api/types.ts';
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
} from '../../../client/resources.ts';
import type { Plugin } from '../../framework/plugin.ts';
import type { ClusterEvent, QueueingHint } from '../../framework/cluster-event.ts';
import { concernsClaimOf } from '../claim-events.ts';
import { volumeLimitBytes } from './provisioning.ts';

/** The resources whose changes may let a pod in that has no node for its volumes. */
export const watchedResources: NonNullable<Plugin['watchedResources']> = {
  StorageClass: storageClasses,
  PersistentVolumeClaim: persistentVolumeClaims,
  PersistentVolume: persistentVolumes,
  CSINode: csiNodes,
  CSIDriver: csiDrivers,
  CSIStorageCapacity: csiStorageCapacities,
};

/** Upstream's EventsToRegister of the plugin, with its closer looks. */
export const hints: readonly QueueingHint[] = [
  {
    resource: 'StorageClass',
    actions: ['Add', 'Update'],
    mayHelp: (_, event) =>
      changed<StorageClass>(event, ({ allowedTopologies = [] }) => JSON.stringify(allowedTopologies)),
  },
  { resource: 'PersistentVolumeClaim', actions: ['Add', 'Update'], mayHelp: concernsClaimOf },
  { resource: 'PersistentVolume', actions: ['Add', 'Update'] },
  { resource: 'Node', actions: ['Add', 'UpdateLabel'] },
  {
    resource: 'CSINode',
    actions: ['Add', 'Update'],
    mayHelp: (_, event) =>
      changed(event, ({ metadata }) => metadata?.annotations?.[migratedPluginsAnnotation]),
  },
  {
    resource: 'CSIDriver',
    actions: ['Update'],
    mayHelp: (_, { previous, object }) => publishesCapacity(previous) && !publishesCapacity(object),
  },
  {
    resource: 'CSIStorageCapacity',
    actions: ['Add', 'Update'],
    mayHelp: (_, { previous, object }) =>
      previous === undefined || volumeLimit(object) > volumeLimit(previous),
  },
];

const changed = <T extends object>(
  { previous, object }: ClusterEvent,
  read: (object: T & NonNullable<ClusterEvent['object']>) => unknown,
): boolean =>
  // An event's resource says what type its objects are of.
  previous === undefined ||
  !isDeepStrictEqual(
    read(previous as Parameters<typeof read>[0]),
    read(object as Parameters<typeof read>[0]),
  );

const publishesCapacity = (driver: ClusterEvent['object']): boolean =>
  (driver as CSIDriver | undefined)?.spec.storageCapacity === true;

const volumeLimit = (capacity: ClusterEvent['object']): number =>
  capacity === undefined ? -1 : (volumeLimitBytes(capacity as CSIStorageCapacity) ?? -1);
