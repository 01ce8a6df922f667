import type { Node, Pod, PodAffinityTerm } from '../../api/types.ts';
import { hostPortsOf } from './host-ports.ts';
import type { HostPort } from './host-ports.ts';
import { addResources, podRequests, toResources } from './resources.ts';
import type { Resources } from './resources.ts';

/** A pod on a node, with what is expensive to compute. */
export interface PodInfo {
  pod: Pod;
  requests: Resources;
  scoringRequests: Resources;
  hostPorts: HostPort[];
  requiredAntiAffinity: PodAffinityTerm[];
  hasAffinity: boolean;
}

/** A node with the pods on it and the sums over them. */
export interface NodeInfo {
  readonly node: Node;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly allocatable: Resources;
  /** By uid. */
  readonly pods: ReadonlyMap<string, PodInfo>;
  readonly requested: Resources;
  /** As requested, with defaults for containers that ask for nothing. */
  readonly scoringRequested: Resources;
  /** Bytes by image name. */
  readonly images: ReadonlyMap<string, number>;
}

/** A pod's info; throws for a quantity that is none (the API server lets none in). */
export const createPodInfo = (pod: Pod): PodInfo => {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  return {
    pod,
    requests: podRequests(pod),
    scoringRequests: podRequests(pod, { forScoring: true }),
    hostPorts: hostPortsOf(pod),
    requiredAntiAffinity: podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [],
    hasAffinity: podAffinity !== undefined || podAntiAffinity !== undefined,
  };
};

/** The info of a node with these pods. */
export const createNodeInfo = (node: Node, pods: Iterable<PodInfo>): NodeInfo => {
  const podsByUid = new Map<string, PodInfo>();
  const requested: Resources = new Map();
  const scoringRequested: Resources = new Map();
  for (const info of pods) {
    podsByUid.set(info.pod.metadata?.uid ?? '', info);
    addResources(requested, info.requests);
    addResources(scoringRequested, info.scoringRequests);
  }
  return {
    node,
    name: node.metadata?.name ?? '',
    labels: node.metadata?.labels ?? {},
    allocatable: toResources(node.status?.allocatable),
    pods: podsByUid,
    requested,
    scoringRequested,
    images: imagesOf(node),
  };
};

/** The same node without some of its pods, to see what would be if they were gone. */
export const withoutPods = (info: NodeInfo, uids: ReadonlySet<string>): NodeInfo => {
  const remaining = [...info.pods].filter(([uid]) => !uids.has(uid)).map(([, pod]) => pod);
  return createNodeInfo(info.node, remaining);
};

const imagesOf = (node: Node): Map<string, number> => {
  const images = new Map<string, number>();
  for (const { names = [], sizeBytes = 0 } of node.status?.images ?? []) {
    for (const name of names) images.set(name, sizeBytes);
  }
  return images;
};
