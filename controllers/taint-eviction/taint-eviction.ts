import { disruptionTarget } from '../../api/disruption-target.ts';
import type { Node, Pod, Taint } from '../../api/types.ts';
import { timeOf } from '../../client/clock.ts';
import { isNotFound } from '../../client/errors.ts';
import { keyOf } from '../../client/objects.ts';
import { nodes, pods } from '../../client/resources.ts';
import { covers } from '../../api/selectors/tolerations.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';
import { nodeNamesOf, podsByNode } from '../pods-by-node.ts';

/**
 * Deletes pods from nodes with NoExecute taints: at once without a toleration, else when the shortest
 * tolerationSeconds of the tolerations in use are over.
 */
export const taintEvictionController: ControllerFactory = (context) => {
  const { client, informers, clock } = context;
  const nodeInformer = informers.informer(nodes);
  const podInformer = informers.informer(pods, { indexers: { [podsByNode]: nodeNamesOf } });
  const recorder = context.recorder('taint-eviction-controller');
  /** Since when a pod is on borrowed time, by uid. */
  const since = new Map<string, number>();

  const tell = (pod: Pod, what: string) =>
    recorder.event({
      object: pod,
      type: 'Normal',
      reason: 'TaintManagerEviction',
      message: `${what} deletion of Pod ${keyOf(pod)}`,
    });

  const evict = async (pod: Pod): Promise<void> => {
    const { name = '', namespace, uid = '' } = pod.metadata ?? {};
    recorder.event({
      object: pod,
      type: 'Normal',
      reason: 'TaintManagerEviction',
      message: `Marking for deletion Pod ${keyOf(pod)}`,
    });
    const condition = disruptionTarget(pod, {
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      now: timeOf(clock.now()),
    });
    const resource = client.resource(pods);
    if (condition !== undefined) {
      const patch = { metadata: { uid }, status: { conditions: [condition] } };
      await resource.patch({ name, namespace, type: 'strategic', subresource: 'status', patch });
    }
    await resource.delete({ name, namespace, preconditions: { uid } });
    since.delete(uid);
  };

  const reconciler = createReconciler({
    name: 'taint-eviction',
    context,
    async reconcile(key) {
      const pod = podInformer.lister.getByKey(key);
      if (pod === undefined || pod.metadata?.deletionTimestamp !== undefined) return undefined;
      const uid = pod.metadata?.uid ?? '';
      const node = nodeInformer.lister.getByKey(pod.spec?.nodeName ?? '');
      const allowedMs = toleratedMs(pod, noExecuteTaints(node));
      if (allowedMs === Infinity) {
        if (since.delete(uid)) tell(pod, 'Cancelling');
        return undefined;
      }
      const startMs = since.get(uid) ?? clock.now();
      since.set(uid, startMs);
      const leftMs = startMs + allowedMs - clock.now();
      if (leftMs > 0) return { retryAfterMs: leftMs };
      try {
        await evict(pod);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return undefined;
    },
  });
  reconciler.follow(podInformer);
  const unfollowPods = podInformer.addHandler({
    delete: ({ metadata }) => since.delete(metadata?.uid ?? ''),
  });
  reconciler.follow(nodeInformer, ({ metadata }) =>
    podInformer.lister.byIndex(podsByNode, metadata?.name ?? '').map(keyOf),
  );
  return {
    stop() {
      unfollowPods();
      return reconciler.stop();
    },
  };
};

const noExecuteTaints = (node: Node | undefined): Taint[] =>
  (node?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');

/**
 * How long the pod may stay: 0 with a taint it doesn't tolerate, Infinity when all are tolerated for good. Of several
 * tolerations that cover a taint the first is in use (upstream's GetMatchingTolerations).
 */
export const toleratedMs = (pod: Pod, taints: readonly Taint[]): number => {
  let allowedMs = Infinity;
  for (const taint of taints) {
    const used = (pod.spec?.tolerations ?? []).find((toleration) => covers(toleration, taint));
    if (used === undefined) return 0;
    if (used.tolerationSeconds === undefined) continue;
    allowedMs = Math.min(allowedMs, Math.max(0, used.tolerationSeconds) * 1000);
  }
  return allowedMs;
};
