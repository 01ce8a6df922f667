import { posix } from 'node:path';
import type { KubeletPod } from '../pod.ts';
import { everyContainerLimits, podLimits, podRequests, qosClassOf } from './pod-resources.ts';
import { quotaOf, quotaPeriodUs, sharesOf } from './linux-resources.ts';

/** The part of cgroups/ that the kubelet uses; paths are relative to the controllers' roots. */
export interface CgroupTree {
  createCgroup(path: string, resources: CgroupResources): unknown;
  updateCgroup(path: string, resources: CgroupResources): unknown;
  removeCgroup(path: string): unknown;
  exists(path: string): boolean;
  children(path: string): string[];
}

export interface CgroupResources {
  cpuShares?: number;
  cpuQuotaUs?: number;
  cpuPeriodUs?: number;
  memoryLimitBytes?: number;
  pidsLimit?: number;
}

/** The node's cgroups: kubepods, its QoS classes, and one for each Pod. */
export interface PodCgroups {
  /** The path of the Pod's cgroup, which CRI takes as cgroup_parent. */
  pathOf(pod: KubeletPod): string;
  ensure(pod: KubeletPod): Promise<void>;
  /** Writes the Pod's limits anew, after a resize. */
  update(pod: KubeletPod): Promise<void>;
  remove(pod: KubeletPod): Promise<void>;
  /** UIDs of Pods that have a cgroup, with its path. */
  existing(): { uid: string; path: string }[];
  removePath(path: string): Promise<void>;
}

export interface PodCgroupsOptions {
  tree: CgroupTree;
  /** For example /podwright/default/node-1. */
  root: string;
  /** Processes that one Pod may have; no limit when left out. */
  podPidsLimit?: number;
  /** CPU that all Pods may use, in millicores. */
  allocatableMilliCpu?: number;
}

const qosFolders = { Guaranteed: '', Burstable: 'burstable', BestEffort: 'besteffort' };

export function createPodCgroups({
  tree,
  root,
  podPidsLimit,
  allocatableMilliCpu = 0,
}: PodCgroupsOptions): PodCgroups {
  const kubepods = posix.join(root, 'kubepods');
  const burstable = posix.join(kubepods, qosFolders.Burstable);
  const requests = new Map<string, number>();
  /** Burstable Pods together weigh what they ask for, BestEffort Pods get what is left (upstream: qosContainerManager). */
  const weighBurstable = () => {
    const sum = [...requests.values()].reduce((total, milliCpu) => total + milliCpu, 0);
    tree.createCgroup(burstable, { cpuShares: sharesOf(sum) });
  };
  const count = (pod: KubeletPod, isThere: boolean) => {
    if (qosClassOf(pod) !== 'Burstable') return;
    const { uid } = pod.metadata;
    const milliCpu = podRequests(pod)['cpu'] ?? 0;
    if (isThere ? requests.get(uid) === milliCpu : !requests.has(uid)) return;
    if (isThere) requests.set(uid, milliCpu);
    else requests.delete(uid);
    weighBurstable();
  };
  let isSetUp = false;
  const setUp = () => {
    if (isSetUp) return;
    isSetUp = true;
    if (allocatableMilliCpu > 0) {
      tree.createCgroup(kubepods, { cpuShares: sharesOf(allocatableMilliCpu) });
    }
    tree.createCgroup(posix.join(kubepods, qosFolders.BestEffort), { cpuShares: sharesOf(0) });
  };
  const pathOf = (pod: KubeletPod) =>
    posix.join(kubepods, qosFolders[qosClassOf(pod)], `pod${pod.metadata.uid}`);
  const resourcesOf = (pod: KubeletPod) => podCgroupResources(pod, podPidsLimit);
  return {
    pathOf,
    async ensure(pod) {
      setUp();
      count(pod, true);
      if (!tree.exists(pathOf(pod))) await tree.createCgroup(pathOf(pod), resourcesOf(pod));
    },
    async update(pod) {
      await tree.updateCgroup(pathOf(pod), resourcesOf(pod));
      count(pod, true);
    },
    async remove(pod) {
      await tree.removeCgroup(pathOf(pod));
      count(pod, false);
    },
    existing: () =>
      Object.values(qosFolders).flatMap((folder) => podsBelow(tree, posix.join(kubepods, folder))),
    async removePath(path) {
      await tree.removeCgroup(path);
    },
  };
}

const podsBelow = (tree: CgroupTree, parent: string) =>
  tree
    .children(parent)
    .filter((name) => name.startsWith('pod'))
    .map((name) => ({ uid: name.slice('pod'.length), path: posix.join(parent, name) }));

/** Limits of a Pod's cgroup; a limit of the whole needs a limit on every part (upstream: ResourceConfigForPod). */
export function podCgroupResources(pod: KubeletPod, pidsLimit?: number): CgroupResources {
  const requests = podRequests(pod);
  const limits = podLimits(pod);
  const podLevel = pod.spec.resources?.limits ?? {};
  const limited = (name: string) => name in podLevel || everyContainerLimits(pod, name);
  const pids = pidsLimit ? { pidsLimit } : {};
  if (qosClassOf(pod) === 'BestEffort') return { cpuShares: sharesOf(0), ...pids };
  return {
    cpuShares: sharesOf(requests['cpu'] ?? 0),
    ...(limited('cpu') ? { cpuQuotaUs: quotaOf(limits['cpu'] ?? 0), cpuPeriodUs: quotaPeriodUs } : {}),
    ...(limited('memory') ? { memoryLimitBytes: limits['memory'] ?? 0 } : {}),
    ...pids,
  };
}
