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
  const conditions = ({ status }: Node) => status?.conditions?.map(({ type, status }) => [type, status]);
  if (!same(conditions)) actions.push('UpdateCondition');
  return actions;
};

const isAssigned = (pod: Pod) => (pod.spec?.nodeName ?? '') !== '';

const followPods = ({ informers, cache, queue, schedulerName }: EventTargets) => {
  const isOurs = (pod: Pod) =>
    !isAssigned(pod) && (pod.spec?.schedulerName ?? 'default-scheduler') === schedulerName;
  return informers.informer(pods, podSelection).addHandler({
    add(pod) {
      if (isOurs(pod)) {
        // As an earlier run of the scheduler has decided.
        cache.nominate(pod, pod.status?.nominatedNodeName || undefined);
        return queue.add(pod);
      }
      if (!isAssigned(pod)) return;
      cache.setPod(pod);
      queue.moveOnEvent({ resource: 'AssignedPod', action: 'Add', object: pod });
    },
    update(pod, previous) {
      if (!isAssigned(pod)) {
        if (!isOurs(pod)) return;
        // Same name, another pod: the deletion in between was missed.
        if (pod.metadata?.uid === previous.metadata?.uid) return queue.update(pod, previous);
        queue.remove(previous);
        cache.removePod(previous);
        return queue.add(pod);
      }
      queue.remove(previous);
      cache.setPod(pod);
      const event = { resource: 'AssignedPod', previous, object: pod };
      if (!isAssigned(previous)) return queue.moveOnEvent({ ...event, action: 'Add' });
      for (const action of podActions(pod, previous)) queue.moveOnEvent({ ...event, action });
    },
    delete(pod) {
      queue.remove(pod);
      cache.removePod(pod);
      if (!isAssigned(pod)) return;
      queue.moveOnEvent({ resource: 'AssignedPod', action: 'Delete', previous: pod });
    },
  });
};

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
