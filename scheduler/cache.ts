import type { Node, Pod } from '../api/types.ts';
import { createNodeInfo, createPodInfo } from './framework/node-info.ts';
import type { NodeInfo, PodInfo } from './framework/node-info.ts';

/**
 * The nodes and the pods on them, kept by the informers, and ahead of them by the pods that the scheduler has
 * placed but that are not bound yet (assumed).
 *
 *     assume ──▶ assumed ──bound pod seen──▶ known ──deleted──▶ gone
 *                   └──binding failed──▶ forget
 */
export interface SchedulerCache {
  setNode(node: Node): void;
  removeNode(name: string): void;
  /** A pod that has a node. */
  setPod(pod: Pod): void;
  removePod(pod: Pod): void;
  assume(pod: Pod, nodeName: string): void;
  forget(pod: Pod): void;
  isAssumed(pod: Pod): boolean;
  /** Room on this node is being made for a pod that waits; undefined takes it back. */
  nominate(pod: Pod, nodeName: string | undefined): void;
  /** The pod has changed, but not where it is nominated, if it is. */
  refreshNomination(pod: Pod): void;
  /** The pods that wait for room on this node. */
  readonly nominatedOn: (nodeName: string) => Pod[];
  nodes(): readonly NodeInfo[];
  /** The node with the nominated pods of at least this pod's priority; the node itself when there are none. */
  readonly withNominated: (pod: Pod, node: NodeInfo) => NodeInfo;
}

interface Entry {
  node: Node | undefined;
  pods: Map<string, PodInfo>;
  /** Computed when asked for, thrown away by each change. */
  info: NodeInfo | undefined;
}

const uidOf = (pod: Pod) => pod.metadata?.uid ?? '';
const priorityOf = (pod: Pod) => pod.spec?.priority ?? 0;

/** An empty cache. */
export const createSchedulerCache = (): SchedulerCache => {
  const entries = new Map<string, Entry>();
  const nodeNameByUid = new Map<string, string>();
  const assumed = new Set<string>();
  const nominations = new Map<string, { pod: Pod; nodeName: string }>();
  let list: NodeInfo[] | undefined;

  const entryOf = (nodeName: string): Entry => {
    let entry = entries.get(nodeName);
    if (entry === undefined)
      entries.set(nodeName, (entry = { node: undefined, pods: new Map(), info: undefined }));
    return entry;
  };

  const changed = (entry: Entry) => {
    entry.info = undefined;
    list = undefined;
  };

  const detach = (pod: Pod) => {
    const uid = uidOf(pod);
    const nodeName = nodeNameByUid.get(uid);
    const entry = nodeName === undefined ? undefined : entries.get(nodeName);
    if (nodeName === undefined || entry === undefined) return;
    nodeNameByUid.delete(uid);
    entry.pods.delete(uid);
    changed(entry);
    if (entry.node === undefined && entry.pods.size === 0) entries.delete(nodeName);
  };

  const attach = (pod: Pod, nodeName: string) => {
    const entry = entryOf(nodeName);
    entry.pods.set(uidOf(pod), createPodInfo(pod));
    nodeNameByUid.set(uidOf(pod), nodeName);
    changed(entry);
  };

  const nodes = (): readonly NodeInfo[] => {
    list ??= [...entries.values()].flatMap((entry) => {
      if (entry.node === undefined) return [];
      entry.info ??= createNodeInfo(entry.node, entry.pods.values());
      return [entry.info];
    });
    return list;
  };

  const nominatedOn = (name: string): Pod[] =>
    [...nominations.values()].flatMap(({ pod, nodeName }) => (nodeName === name ? [pod] : []));

  return {
    setNode(node) {
      const entry = entryOf(node.metadata?.name ?? '');
      entry.node = node;
      changed(entry);
    },
    removeNode(name) {
      const entry = entries.get(name);
      if (entry === undefined) return;
      entry.node = undefined;
      changed(entry);
      if (entry.pods.size === 0) entries.delete(name);
    },
    setPod(pod) {
      nominations.delete(uidOf(pod));
      assumed.delete(uidOf(pod));
      detach(pod);
      attach(pod, pod.spec?.nodeName ?? '');
    },
    removePod(pod) {
      nominations.delete(uidOf(pod));
      assumed.delete(uidOf(pod));
      detach(pod);
    },
    assume(pod, nodeName) {
      nominations.delete(uidOf(pod));
      assumed.add(uidOf(pod));
      attach(pod, nodeName);
    },
    forget(pod) {
      // Once the bound pod was seen, the truth has overtaken the assumption.
      if (assumed.delete(uidOf(pod))) detach(pod);
    },
    isAssumed: (pod) => assumed.has(uidOf(pod)),
    nominate(pod, nodeName) {
      if (nodeName === undefined) nominations.delete(uidOf(pod));
      else nominations.set(uidOf(pod), { pod, nodeName });
    },
    refreshNomination(pod) {
      const nomination = nominations.get(uidOf(pod));
      if (nomination !== undefined) nomination.pod = pod;
    },
    nodes,
    nominatedOn,
    withNominated(pod, node) {
      const guests = nominatedOn(node.name).filter(
        (other) => uidOf(other) !== uidOf(pod) && priorityOf(other) >= priorityOf(pod),
      );
      if (guests.length === 0) return node;
      return createNodeInfo(node.node, [...node.pods.values(), ...guests.map(createPodInfo)]);
    },
  };
};
