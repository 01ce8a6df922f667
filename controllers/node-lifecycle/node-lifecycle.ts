import type { Node, Pod } from '../../api/types.ts';
import { timeOf } from '../../client/clock.ts';
import { isNotFound } from '../../client/errors.ts';
import { leases, nodes, pods } from '../../client/resources.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerContext, ControllerFactory } from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { nodeNamesOf, podsByNode } from '../pods-by-node.ts';
import { conditionsOfSilentNode, observeNode, readyConditionOf } from './node-health.ts';
import type { NodeHealth } from './node-health.ts';
import { taintsOf } from './taints.ts';

export interface NodeLifecycleOptions {
  /** Silence after which a node counts as lost (upstream's --node-monitor-grace-period). */
  monitorGracePeriodMs?: number;
  /** The same for a node that has never reported. */
  startupGracePeriodMs?: number;
}

const excludeLabel = 'node.kubernetes.io/exclude-disruption';

/**
 * Watches the nodes' signs of life. A silent node's conditions become Unknown; a node that isn't ready is tainted,
 * and its pods are no longer Ready. When no node at all is ready, it is more likely we who are cut off: then
 * nothing is evicted.
 */
export const nodeLifecycleController =
  ({
    monitorGracePeriodMs = 50_000,
    startupGracePeriodMs = 60_000,
  }: NodeLifecycleOptions = {}): ControllerFactory =>
  (context) => {
    const { client, informers, clock } = context;
    const nodeInformer = informers.informer(nodes);
    const leaseInformer = informers.informer(leases, { namespace: 'kube-node-lease' });
    const podInformer = informers.informer(pods, { indexers: { [podsByNode]: nodeNamesOf } });
    const recorder = context.recorder('node-controller');
    const healths = new Map<string, NodeHealth>();
    const known = new Map<string, Node>();
    const readiness = new Map<string, string>();

    const tell = (node: Node, reason: string, message: string) => {
      const { name = '', uid = '' } = node.metadata ?? {};
      recorder.event({
        object: { apiVersion: 'v1', kind: 'Node', name, uid },
        type: 'Normal',
        reason,
        message,
      });
    };

    const forget = (name: string) => {
      const node = known.get(name);
      if (node === undefined) return;
      known.delete(name);
      healths.delete(name);
      readiness.delete(name);
      tell(node, 'RemovingNode', `Node ${name} event: Removing Node ${name} from Controller`);
    };

    const register = (name: string, node: Node) => {
      if (!known.has(name)) {
        tell(node, 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`);
      }
      known.set(name, node);
    };

    const taint = async (node: Node): Promise<void> => {
      const present = node.spec?.taints ?? [];
      const taints = taintsOf(node, {
        evicts: someNodeIsReady(nodeInformer.lister.list()),
        nowMs: clock.now(),
      });
      if (taints === present || (taints.length === 0 && present.length === 0)) return;
      await client.resource(nodes).patch({
        name: node.metadata?.name ?? '',
        type: 'merge',
        // With the resourceVersion, so that a taint set meanwhile by someone else isn't lost.
        patch: { metadata: { resourceVersion: node.metadata?.resourceVersion }, spec: { taints } },
      });
    };

    const reconciler = createReconciler({
      name: 'node-lifecycle',
      context,
      async reconcile(name) {
        const seen = nodeInformer.lister.getByKey(name);
        if (seen === undefined) return forget(name);
        register(name, seen);
        const nowMs = clock.now();
        const lease = leaseInformer.lister.get({ name, namespace: 'kube-node-lease' });
        const health = observeNode(healths.get(name), { node: seen, lease, nowMs });
        healths.set(name, health);
        const hasReported = readyConditionOf(seen) !== undefined;
        const deadlineMs = health.heardAtMs + (hasReported ? monitorGracePeriodMs : startupGracePeriodMs);
        const node = nowMs > deadlineMs ? await markSilent(context, seen) : seen;
        await taint(node);
        const ready = readyConditionOf(node)?.status ?? 'Unknown';
        if (ready !== 'True' && readiness.get(name) === 'True') {
          tell(node, 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
          const ofNode = podInformer.lister.byIndex(podsByNode, name);
          await Promise.all(ofNode.map((pod) => markPodNotReady(context, { pod, recorder })));
        }
        readiness.set(name, ready);
        return nowMs > deadlineMs ? undefined : { retryAfterMs: deadlineMs - nowMs + 1 };
      },
    });
    reconciler.follow(leaseInformer, ({ metadata }) => [metadata?.name ?? '']);
    // Whether anyone is ready decides for all whether pods are evicted.
    reconciler.follow(nodeInformer, () => nodeInformer.lister.keys());
    const unfollow = nodeInformer.addHandler({
      delete: ({ metadata }) => reconciler.queue.add(metadata?.name ?? ''),
    });
    return {
      stop() {
        unfollow();
        return reconciler.stop();
      },
    };
  };

const markSilent = async ({ client, clock }: ControllerContext, node: Node): Promise<Node> => {
  const conditions = conditionsOfSilentNode(node, clock.now());
  if (conditions === node.status?.conditions) return node;
  return client.resource(nodes).updateStatus({ object: { ...node, status: { ...node.status, conditions } } });
};

/** Nobody else does it for a pod whose kubelet is silent. */
const markPodNotReady = async (
  { client, clock }: ControllerContext,
  { pod, recorder }: { pod: Pod; recorder: EventRecorder },
): Promise<void> => {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True') return;
  const { name = '', namespace, uid } = pod.metadata ?? {};
  const condition = { type: 'Ready', status: 'False', lastTransitionTime: timeOf(clock.now()) };
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  try {
    await client.resource(pods).patch({ name, namespace, type: 'strategic', subresource: 'status', patch });
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  recorder.event({ object: pod, type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' });
};

const someNodeIsReady = (all: readonly Node[]): boolean =>
  all.some(
    (node) =>
      node.metadata?.labels?.[excludeLabel] === undefined && readyConditionOf(node)?.status === 'True',
  );
