import { disruptionTarget } from '../../api/disruption-target.ts';
import type { Node, Pod } from '../../api/types.ts';
import { timeOf } from '../../client/clock.ts';
import { isNotFound } from '../../client/errors.ts';
import { nodes, pods } from '../../client/resources.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerContext, ControllerFactory } from '../../client/controller.ts';
import { readyConditionOf } from '../node-lifecycle/node-health.ts';
import { isOutOfService } from '../node-lifecycle/taints.ts';

export interface PodGarbageCollectorOptions {
  /** More finished pods than this are deleted, the oldest first (--terminated-pod-gc-threshold). */
  terminatedThreshold?: number;
  /** How long a node must be away before its pods are taken for lost. */
  quarantineMs?: number;
  intervalMs?: number;
}

const all = 'all';

/** Deletes pods that no kubelet will ever delete, and finished ones that are too many. */
export const podGarbageCollector =
  ({
    terminatedThreshold = 12_500,
    quarantineMs = 40_000,
    intervalMs = 20_000,
  }: PodGarbageCollectorOptions = {}): ControllerFactory =>
  (context) => {
    const { informers, clock } = context;
    const nodeInformer = informers.informer(nodes);
    const podInformer = informers.informer(pods);
    const missingSince = new Map<string, number>();

    const findOrphans = async (list: readonly Pod[]): Promise<Pod[]> => {
      const missing = new Set(list.flatMap(({ spec }) => spec?.nodeName || []));
      for (const name of nodeInformer.lister.keys()) missing.delete(name);
      for (const name of missingSince.keys()) if (!missing.has(name)) missingSince.delete(name);
      const gone = new Set<string>();
      for (const name of missing) {
        if (!missingSince.has(name)) missingSince.set(name, clock.now());
        if (clock.now() - (missingSince.get(name) ?? 0) < quarantineMs) continue;
        if (await isNodeGone(context, name)) gone.add(name);
      }
      return list.filter(({ spec }) => gone.has(spec?.nodeName ?? ''));
    };
    const isLeft = (pod: Pod) => isLeftBehind(pod, nodeInformer.lister.getByKey(pod.spec?.nodeName ?? ''));
    const remove = (pod: Pod, why?: Why) => removePod(context, pod, why);

    const reconciler = createReconciler({
      name: 'pod-garbage-collector',
      context,
      concurrency: 1,
      async reconcile() {
        const list = podInformer.lister.list();
        const orphans = await findOrphans(list);
        const orphaned = { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' };
        await Promise.all([
          ...excessOf(list, terminatedThreshold).map((pod) => remove(pod)),
          ...list.filter(isLeft).map((pod) => remove(pod)),
          ...orphans.map((pod) => remove(pod, orphaned)),
          ...list.filter(isUnscheduledAndDeleted).map((pod) => remove(pod)),
        ]);
        const inQuarantine = [...missingSince.values()].map(
          (sinceMs) => sinceMs + quarantineMs - clock.now() + 1,
        );
        return { retryAfterMs: Math.min(intervalMs, ...inQuarantine.filter((leftMs) => leftMs > 0)) };
      },
    });
    reconciler.queue.add(all);
    const unfollow = [
      nodeInformer.addHandler({
        delete: () => reconciler.queue.add(all),
        update: (node) => {
          if (isOutOfService(node)) reconciler.queue.add(all);
        },
      }),
      podInformer.addHandler({
        update: (pod) => {
          if (isUnscheduledAndDeleted(pod) || isLeft(pod)) reconciler.queue.add(all);
        },
      }),
    ];
    return {
      stop() {
        for (const each of unfollow) each();
        return reconciler.stop();
      },
    };
  };

/** The lister may lag behind; deleting pods deserves a look at the server. */
const isNodeGone = async ({ client }: ControllerContext, name: string): Promise<boolean> => {
  try {
    await client.resource(nodes).get({ name });
    return false;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
};

/** It is to go, and its node has been said to be off: no kubelet will end it. */
const isLeftBehind = ({ metadata }: Pod, node: Node | undefined): boolean =>
  metadata?.deletionTimestamp !== undefined &&
  node !== undefined &&
  readyConditionOf(node)?.status !== 'True' &&
  isOutOfService(node);

interface Why {
  reason: string;
  message: string;
}

/** Deletes at once; one that hasn't finished has failed. */
const removePod = async ({ client, clock }: ControllerContext, pod: Pod, why?: Why): Promise<void> => {
  const { name = '', namespace, uid } = pod.metadata ?? {};
  const resource = client.resource(pods);
  try {
    if (!isFinished(pod)) {
      const condition = why && disruptionTarget(pod, { ...why, now: timeOf(clock.now()) });
      const conditions = condition === undefined ? {} : { conditions: [condition] };
      const patch = { metadata: { uid }, status: { phase: 'Failed', ...conditions } };
      await resource.patch({ name, namespace, type: 'strategic', subresource: 'status', patch });
    }
    await resource.delete({ name, namespace, gracePeriodSeconds: 0, preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
};

const isFinished = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

const isUnscheduledAndDeleted = ({ metadata, spec }: Pod): boolean =>
  metadata?.deletionTimestamp !== undefined && (spec?.nodeName ?? '') === '';

/** Evicted pods go first, then the oldest. */
const excessOf = (list: readonly Pod[], threshold: number): Pod[] => {
  const finished = list.filter(isFinished);
  if (finished.length <= threshold) return [];
  const rank = ({ status, metadata }: Pod) =>
    `${status?.reason === 'Evicted' ? 0 : 1}${metadata?.creationTimestamp ?? ''}${metadata?.name ?? ''}`;
  return finished.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, finished.length - threshold);
};
