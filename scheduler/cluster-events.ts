import { isDeepStrictEqual } from 'node:util';
import type { Node, Pod } from '../api/types.ts';
import type { InformerFactory } from '../client/informer-factory.ts';
import { nodes, pods } from '../client/resources.ts';
import type { SchedulerCache } from './cache.ts';
import type { ClusterEvent } from './framework/cluster-event.ts';
import type { Plugin } from './framework/plugin.ts';
import { podSelection } from './framework/pod-selection.ts';
import type { SchedulingQueue } from './queue.ts';

export interface EventTargets {
  informers: InformerFactory;
  cache: SchedulerCache;
  queue: SchedulingQueue;
  plugins: readonly Plugin[];
  schedulerName: string;
}

/** Keeps cache and queue up to date from the informers. Answers how to stop. */
export const followCluster = (targets: EventTargets): (() => void) => {
  const stops = [followNodes(targets), followPods(targets), ...followPluginResources(targets)];
  return () => stops.forEach((stop) => stop());
};

const followNodes = ({ informers, cache, queue }: EventTargets) =>
  informers.informer(nodes).addHandler({
    add(node) {
      cache.setNode(node);
      queue.moveOnEvent({ resource: 'Node', action: 'Add', object: node });
    },
    update(node, previous) {
      const actions = nodeActions(node, previous);
      // The kubelet's heartbeats change nothing that a plugin looks at.
      if (actions.length === 0 && isDeepStrictEqual(node.status?.images, previous.status?.images)) return;
      cache.setNode(node);
      for (const action of actions) queue.moveOnEvent({ resource: 'Node', action, previous, object: node });
    },
    delete(node) {
      cache.removeNode(node.metadata?.name ?? '');
      queue.moveOnEvent({ resource: 'Node', action: 'Delete', previous: node });
    },
  });

const nodeActions = (node: Node, previous: Node): ClusterEvent['action'][] => {
  const same = (read: (node: Node) => unknown) => isDeepStrictEqual(read(node), read(previous));
  const actions: ClusterEvent['action'][] = [];
  if (!same(({ status }) => status?.allocatable)) actions.push('UpdateAllocatable');
  if (!same(({ metadata }) => metadata?.labels)) actions.push('UpdateLabel');
  if (!same(({ spec }) => [spec?.taints, spec?.unschedulable])) actions.push('UpdateTaint');
  return actions;
};

const isAssigned = (pod: Pod) => (pod.spec?.nodeName ?? '') !== '';

const nominatedNode = (pod: Pod) => pod.status?.nominatedNodeName || undefined;

const followPods = ({ informers, cache, queue, schedulerName }: EventTargets) => {
  const isOurs = (pod: Pod) =>
    !isAssigned(pod) && (pod.spec?.schedulerName ?? 'default-scheduler') === schedulerName;
  const moveOnRoomOf = (pod: Pod, concerns?: (other: Pod) => boolean) =>
    queue.moveOnEvent({ resource: 'AssignedPod', action: 'Delete', previous: pod }, concerns);
  const take = (pod: Pod) => {
    // As an earlier run of the scheduler has decided.
    cache.nominate(pod, nominatedNode(pod));
    queue.add(pod);
  };
  const updateWaiting = (pod: Pod, previous: Pod) => {
    if (cache.isAssumed(pod)) {
      // Its binding is bound to fail, but may take long to.
      if (pod.metadata?.deletionTimestamp === undefined) return;
      cache.forget(pod);
      return moveOnRoomOf(pod);
    }
    queue.update(pod, previous);
    if (nominatedNode(pod) === nominatedNode(previous)) return cache.refreshNomination(pod);
    cache.nominate(pod, nominatedNode(pod));
    if (nominatedNode(previous) !== undefined) moveOnRoomOf(previous, yieldsTo(previous));
  };
  return informers.informer(pods, podSelection).addHandler({
    add(pod) {
      if (isOurs(pod)) return take(pod);
      if (!isAssigned(pod)) return;
      cache.setPod(pod);
      queue.moveOnEvent({ resource: 'AssignedPod', action: 'Add', object: pod });
    },
    update(pod, previous) {
      if (!isAssigned(pod)) return isOurs(pod) ? updateWaiting(pod, previous) : undefined;
      queue.remove(previous);
      cache.setPod(pod);
      const event = { resource: 'AssignedPod', previous, object: pod };
      if (!isAssigned(previous)) return queue.moveOnEvent({ ...event, action: 'Add' });
      for (const action of podActions(pod, previous)) queue.moveOnEvent({ ...event, action });
    },
    delete(pod) {
      const tookRoom = isAssigned(pod) || cache.isAssumed(pod);
      queue.remove(pod);
      cache.removePod(pod);
      if (tookRoom) moveOnRoomOf(pod);
      else if (isOurs(pod) && nominatedNode(pod) !== undefined) moveOnRoomOf(pod, yieldsTo(pod));
    },
  });
};

/** To these pods a nominated pod is as if it were on its node already (SchedulerCache.withNominated). */
const yieldsTo = (nominated: Pod) => (other: Pod) =>
  (other.spec?.priority ?? 0) <= (nominated.spec?.priority ?? 0);

const podActions = (pod: Pod, previous: Pod): ClusterEvent['action'][] => {
  const actions: ClusterEvent['action'][] = [];
  if (!isDeepStrictEqual(pod.metadata?.labels, previous.metadata?.labels)) actions.push('UpdateLabel');
  const resources = ({ spec }: Pod) => spec?.containers.map((container) => container.resources);
  if (!isDeepStrictEqual(resources(pod), resources(previous))) actions.push('ScaleDown');
  return actions;
};

const followPluginResources = ({ informers, queue, plugins }: EventTargets) => {
  const watched = plugins.flatMap(({ watchedResources = {} }) => Object.entries(watchedResources));
  return [...new Map(watched)].map(([resource, id]) =>
    informers.informer(id).addHandler({
      add: (object) => queue.moveOnEvent({ resource, action: 'Add', object }),
      update: (object, previous) => queue.moveOnEvent({ resource, action: 'Update', previous, object }),
      delete: (previous) => queue.moveOnEvent({ resource, action: 'Delete', previous }),
    }),
  );
};
