import { compareQuantities } from '../../../api/quantity.ts';
import { selectedNode } from '../../../api/storage/annotations.ts';
import { checkNodeAffinity, findMatchingVolume, requestedSize } from '../../../api/storage/match-volume.ts';
import { classOfClaim } from '../../../api/storage/storage-class.ts';
import type { CSINode, Node, PersistentVolume, PersistentVolumeClaim } from '../../../api/types.ts';
import { asSeenByNode, withAffinityFor } from './migration.ts';
import type { PodVolumeClaims } from './pod-claims.ts';
import { canProvision } from './provisioning.ts';
import { volumesByClass } from './storage-state.ts';
import type { StorageState } from './storage-state.ts';

/** A claim and the volume that it is to get. */
export interface VolumeBinding {
  claim: PersistentVolumeClaim;
  volume: PersistentVolume;
}

/** What is to be done for a pod's claims if it goes to one node. */
export interface PodVolumes {
  bindings: VolumeBinding[];
  provisions: PersistentVolumeClaim[];
}

/** Upstream's reasons (pkg/scheduler/framework/plugins/volumebinding/binder.go). */
const nodeConflict = "node(s) didn't match PersistentVolume's node affinity";
const bindConflict = "node(s) didn't find available persistent volumes to bind";
const notEnoughSpace = 'node(s) did not have enough free storage';
const volumeMissing = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';

/** Finds volumes for all claims on one node, or tells why the pod can't go there. */
export const findPodVolumes = (
  claims: PodVolumeClaims,
  options: { node: Node; storage: StorageState },
): PodVolumes | { reasons: string[] } => {
  const csiNode = options.storage.csiNodes.getByKey(options.node.metadata?.name ?? '');
  const conflict = boundConflict(claims.bound, { ...options, csiNode });
  const volumes = volumesForDelayed(claims.delayed, { ...options, csiNode });
  if (typeof volumes === 'string')
    return { reasons: conflict === undefined ? [volumes] : [conflict, volumes] };
  return conflict === undefined ? volumes : { reasons: [conflict] };
};

interface NodeOptions {
  node: Node;
  csiNode: CSINode | undefined;
  storage: StorageState;
}

const boundConflict = (
  claims: readonly PersistentVolumeClaim[],
  { node, csiNode, storage }: NodeOptions,
): string | undefined => {
  for (const claim of claims) {
    const volume = storage.volumes.get(claim.spec?.volumeName ?? '');
    if (volume === undefined) return volumeMissing;
    if (!checkNodeAffinity(asSeenByNode(volume, csiNode), node.metadata?.labels)) return nodeConflict;
  }
  return undefined;
};

const volumesForDelayed = (
  claims: readonly PersistentVolumeClaim[],
  options: NodeOptions,
): PodVolumes | string => {
  const { node, storage } = options;
  const isElsewhere = ({ metadata }: PersistentVolumeClaim) =>
    metadata?.annotations?.[selectedNode] !== undefined &&
    metadata.annotations[selectedNode] !== node.metadata?.name;
  if (claims.some(isElsewhere)) return bindConflict;
  const isUnderWay = ({ metadata }: PersistentVolumeClaim) =>
    metadata?.annotations?.[selectedNode] !== undefined;
  const { bindings, unmatched } = matchVolumes(
    claims.filter((claim) => !isUnderWay(claim)),
    options,
  );
  const provisions = [...claims.filter(isUnderWay), ...unmatched];
  for (const claim of provisions) {
    const answer = canProvision(claim, { node, storage });
    if (answer === 'no') return bindConflict;
    if (answer === 'no space') return notEnoughSpace;
  }
  return { bindings, provisions };
};

/** The smallest claim chooses first, so that it doesn't find only large volumes left. */
const matchVolumes = (
  claims: readonly PersistentVolumeClaim[],
  { node, csiNode, storage }: NodeOptions,
): { bindings: VolumeBinding[]; unmatched: PersistentVolumeClaim[] } => {
  const bindings: VolumeBinding[] = [];
  const unmatched: PersistentVolumeClaim[] = [];
  const taken = new Set<string>();
  for (const claim of claims.toSorted((a, b) => compareQuantities(requestedSize(a), requestedSize(b)))) {
    const ofClass = storage.volumes.byIndex(volumesByClass, classOfClaim(claim));
    const volumes = ofClass.map((volume) => withAffinityFor(volume, csiNode));
    const match = findMatchingVolume({ claim, volumes, node, excluded: taken });
    const volume = match === undefined ? undefined : ofClass[volumes.indexOf(match)];
    if (volume === undefined) {
      unmatched.push(claim);
      continue;
    }
    taken.add(volume.metadata?.name ?? '');
    bindings.push({ claim, volume });
  }
  return { bindings, unmatched };
};
