import { classOfVolume } from '../../../api/storage/storage-class.ts';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../../api/types.ts';
import type { InformerFactory } from '../../../client/informer-factory.ts';
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
} from '../../../client/resources.ts';
import type { Lister } from '../../../client/store.ts';
import { createAssumeCache } from './assume-cache.ts';
import type { AssumeCache } from './assume-cache.ts';

/** What the plugin knows of the cluster's storage. */
export interface StorageState {
  claims: AssumeCache<PersistentVolumeClaim>;
  volumes: AssumeCache<PersistentVolume>;
  classes: Lister<StorageClass>;
  csiNodes: Lister<CSINode>;
  csiDrivers: Lister<CSIDriver>;
  capacities: Lister<CSIStorageCapacity>;
}

/** Index of volumes by the name of their class, '' for none. */
export const volumesByClass = 'storageClass';
const capacitiesByClass = 'storageClass';

/** Follows the informers that the plugin needs. */
export const followStorage = (informers: InformerFactory): StorageState => {
  const volumeIndexers = { [volumesByClass]: (volume: PersistentVolume) => [classOfVolume(volume)] };
  const capacityIndexers = {
    [capacitiesByClass]: ({ storageClassName }: CSIStorageCapacity) => [storageClassName],
  };
  return {
    claims: createAssumeCache(informers.informer(persistentVolumeClaims)),
    volumes: createAssumeCache(informers.informer(persistentVolumes, { indexers: volumeIndexers })),
    classes: informers.informer(storageClasses).lister,
    csiNodes: informers.informer(csiNodes).lister,
    csiDrivers: informers.informer(csiDrivers).lister,
    capacities: informers.informer(csiStorageCapacities, { indexers: capacityIndexers }).lister,
  };
};

/** The published capacities of a class. */
export const capacitiesOf = ({ capacities }: StorageState, className: string): CSIStorageCapacity[] =>
  capacities.byIndex(capacitiesByClass, className);
