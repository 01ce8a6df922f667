import type { ObjectMeta, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../types.ts';
import { betaStorageClass } from './annotations.ts';

const defaultClassAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

/** The class that a claim asks for; '' when for none. The annotation is stronger than the field. */
export const classOfClaim = ({ metadata, spec }: PersistentVolumeClaim): string =>
  metadata?.annotations?.[betaStorageClass] ?? spec?.storageClassName ?? '';

/** Whether the claim says anything about a class, '' included; one that doesn't gets the default class. */
export const hasClass = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  metadata?.annotations?.[betaStorageClass] !== undefined || spec?.storageClassName !== undefined;

/** The class that a volume belongs to; '' when to none. */
export const classOfVolume = ({ metadata, spec }: PersistentVolume): string =>
  metadata?.annotations?.[betaStorageClass] ?? spec?.storageClassName ?? '';

/** Whether this object's annotation makes it a default class (also of VolumeAttributesClass' kind of objects). */
export const isDefaultClass = (metadata: ObjectMeta | undefined): boolean =>
  defaultClassAnnotations.some((key) => metadata?.annotations?.[key] === 'true');

/** Of several default classes the newest counts, then the first by name (Kubernetes pkg/volume/util/storageclass.go). */
export const defaultClassOf = (classes: readonly StorageClass[]): StorageClass | undefined => {
  const newestFirst = (a: StorageClass, b: StorageClass) =>
    Date.parse(b.metadata?.creationTimestamp ?? '') - Date.parse(a.metadata?.creationTimestamp ?? '') ||
    ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1);
  return classes.filter(({ metadata }) => isDefaultClass(metadata)).toSorted(newestFirst)[0];
};

/** Whether binding and provisioning wait until the scheduler has chosen a node. A class that isn't there doesn't wait. */
export const isDelayedBinding = (storageClass: StorageClass | undefined): boolean =>
  storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
