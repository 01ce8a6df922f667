import { compareQuantities } from '../quantity.ts';
import { labelSelectorMatcher } from '../selectors/labels.ts';
import { matchesNodeSelector } from '../selectors/node-selector.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../types.ts';
import { isVolumeBoundToClaim } from './bind-volume.ts';
import { classOfClaim, classOfVolume } from './storage-class.ts';

export interface MatchOptions {
  claim: PersistentVolumeClaim;
  volumes: Iterable<PersistentVolume>;
  /** The scheduler's question: a volume that this node can reach, with all access modes of the claim. */
  node?: Node | undefined;
  /** Names of volumes that are taken already, by the other claims of the same Pod. */
  excluded?: { has(name: string): boolean } | undefined;
  /** The binder's question about a class that waits for a Pod: only what is reserved for the claim counts. */
  delayBinding?: boolean | undefined;
}

/**
 * The volume for a claim: the one that is reserved for it, else the smallest Available one that fits in size,
 * class, volumeMode, volumeAttributesClass, labels and node (k8s.io/component-helpers storage/volume
 * FindMatchingVolume). Without a node the caller has chosen the volumes by access modes. A reserved volume that
 * the node can't reach means that no volume fits. Throws an Error for a claim's selector that is none.
 */
export const findMatchingVolume = ({
  claim,
  volumes,
  node,
  excluded,
  delayBinding = false,
}: MatchOptions): PersistentVolume | undefined => {
  const request = requestOf(claim);
  let smallest: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (excluded?.has(volume.metadata?.name ?? '') === true || !suits(volume, request)) continue;
    if (isVolumeBoundToClaim(volume, claim)) return isReachable(volume, node) ? volume : undefined;
    // Volumes nobody has reserved are the scheduler's business when binding waits for a Pod.
    if (delayBinding && node === undefined) continue;
    if (!isFree(volume, request) || !isReachable(volume, node)) continue;
    if (node !== undefined && !hasAccessModes(volume, claim)) continue;
    if (smallest === undefined || compareQuantities(sizeOf(smallest), sizeOf(volume)) > 0) smallest = volume;
  }
  return smallest;
};

interface Request {
  claim: PersistentVolumeClaim;
  size: string;
  className: string;
  matchesLabels: (labels: Readonly<Record<string, string>> | undefined) => boolean;
}

const requestOf = (claim: PersistentVolumeClaim): Request => {
  const selector = claim.spec?.selector;
  const matcher = selector === undefined ? undefined : labelSelectorMatcher(selector);
  return {
    claim,
    size: requestedSize(claim),
    className: classOfClaim(claim),
    matchesLabels: (labels) => matcher === undefined || matcher.matches(labels),
  };
};

/** What even a reserved volume must have. */
const suits = (volume: PersistentVolume, { claim, size }: Request): boolean =>
  (volume.spec?.claimRef === undefined || isVolumeBoundToClaim(volume, claim)) &&
  volume.metadata?.deletionTimestamp === undefined &&
  compareQuantities(sizeOf(volume), size) >= 0 &&
  hasVolumeMode(volume, claim) &&
  hasAttributesClass(volume, claim);

/** What a volume that anybody may take must have. Others than Available ones would only be a conflict. */
const isFree = (volume: PersistentVolume, { className, matchesLabels }: Request): boolean =>
  volume.status?.phase === 'Available' &&
  matchesLabels(volume.metadata?.labels) &&
  classOfVolume(volume) === className;

const isReachable = (volume: PersistentVolume, node: Node | undefined): boolean =>
  node === undefined || checkNodeAffinity(volume, node.metadata?.labels);

/** Whether a node with these labels can reach the volume; a volume without node affinity is reached by all. */
export const checkNodeAffinity = (
  { spec }: PersistentVolume,
  nodeLabels: Record<string, string> | undefined,
): boolean => {
  const required = spec?.nodeAffinity?.required;
  return required === undefined || matchesNodeSelector(required, { metadata: { labels: nodeLabels ?? {} } });
};

/** A volume's or claim's mode, Filesystem when it says nothing, must be the same. */
export const hasVolumeMode = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (spec?.volumeMode ?? 'Filesystem') === (claim.spec?.volumeMode ?? 'Filesystem');

/** Whether the volume may be used in every way that the claim asks for. */
export const hasAccessModes = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (claim.spec?.accessModes ?? []).every((mode) => (spec?.accessModes ?? []).includes(mode));

/** No VolumeAttributesClass and the empty one are the same. */
const hasAttributesClass = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (spec?.volumeAttributesClassName ?? '') === (claim.spec?.volumeAttributesClassName ?? '');

/** A volume's size; '0' when it says nothing. */
export const sizeOf = ({ spec }: PersistentVolume): string => spec?.capacity?.['storage'] ?? '0';

/** The size that a claim asks for; '0' when it says nothing. */
export const requestedSize = ({ spec }: PersistentVolumeClaim): string =>
  spec?.resources?.requests?.['storage'] ?? '0';

/**
 * Why a volume that a claim names can't be its volume, in upstream's words (checkVolumeSatisfyClaim of
 * pkg/controller/volume/persistentvolume); undefined when it can.
 */
export const mismatchOf = (volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined => {
  if (volume.metadata?.deletionTimestamp !== undefined)
    return `the volume is marked for deletion ${JSON.stringify(volume.metadata.name ?? '')}`;
  if (compareQuantities(sizeOf(volume), requestedSize(claim)) < 0) return 'requested PV is too small';
  if (classOfVolume(volume) !== classOfClaim(claim)) return 'storageClassName does not match';
  if (!hasAttributesClass(volume, claim)) return 'volumeAttributesClassName does not match';
  if (!hasVolumeMode(volume, claim)) return 'incompatible volumeMode';
  return hasAccessModes(volume, claim) ? undefined : 'incompatible accessMode';
};
