import { claimKeysOf } from '../../api/storage/pod-claims.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';
import { keyOf } from '../../client/objects.ts';
import { exponentialRateLimiter } from '../../client/rate-limiter.ts';
import {
  csiDrivers,
  csiNodes,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from '../../client/resources.ts';
import { podsByClaim } from '../pods-by-claim.ts';
import { nodeNamesOf, podsByNode } from '../pods-by-node.ts';
import { ActualState } from './actual-state.ts';
import { attachWanted } from './attach.ts';
import { DesiredState } from './desired-state.ts';
import { detachUnwanted } from './detach.ts';
import { followObjects } from './follow.ts';
import { MultiAttachReports } from './multi-attach.ts';
import { NodeReports } from './node-reports.ts';
import { wantsOfPod } from './pod-wants.ts';
import { recoverAttachments } from './recover.ts';
import type { AttachDetachTimes, World } from './world.ts';

export type AttachDetachOptions = Partial<AttachDetachTimes>;

const DEFAULT_TIMES: AttachDetachTimes = {
  maxWaitForUnmountMs: 6 * 60_000,
  disableForceDetachOnTimeout: false,
  attachTimeoutMs: 2 * 60_000,
};

/**
 * Attaches the volumes of scheduled Pods to their nodes by VolumeAttachment objects, which the drivers' attachers obey, and detaches what
 * no Pod of the node needs and its kubelet doesn't use (upstream: pkg/controller/volume/attachdetach, its CSI part).
 *
 *     Pods, claims, PVs ──▶ desired state ─┐
 *                                          ├─▶ reconcile(volume) ──▶ VolumeAttachments, node.status.volumesAttached, events
 *     VolumeAttachments ──▶ actual state ──┘            ▲
 *     node.status.volumesInUse ─────────────────────────┘
 */
export const attachDetachController =
  (options: AttachDetachOptions = {}): ControllerFactory =>
  (context) => {
    const { client, clock, log, informers } = context;
    const lookup = {
      claims: informers.informer(persistentVolumeClaims).lister,
      volumes: informers.informer(persistentVolumes).lister,
      drivers: informers.informer(csiDrivers).lister,
      csiNodes: informers.informer(csiNodes).lister,
    };
    const nodeLister = informers.informer(nodes).lister;
    const world: World = {
      client,
      clock,
      log,
      recorder: context.recorder('attachdetach-controller'),
      times: { ...DEFAULT_TIMES, ...options },
      desired: new DesiredState(),
      actual: new ActualState(),
      reports: new NodeReports({ client, nodes: nodeLister }),
      nodes: nodeLister,
      pods: informers.informer(pods, {
        indexers: { [podsByClaim]: claimKeysOf, [podsByNode]: nodeNamesOf },
      }).lister,
      attachments: informers.informer(volumeAttachments).lister,
    };
    const refusals = new MultiAttachReports();
    let isRecovered = false;

    const refreshPod = (key: string): Set<string> => {
      const before = world.desired.get(key);
      const wants = wantsOfPod(world.pods.getByKey(key), { before, nodes: nodeLister, lookup });
      const concerned = world.desired.set(key, wants);
      for (const volume of before?.volumes.values() ?? []) {
        if (wants === undefined) refusals.forget({ volume, node: before?.node ?? '' });
      }
      return concerned;
    };

    /** Nothing may be detached before all Pods have been looked at, so this comes before the first reconcile. */
    const recover = () => {
      if (isRecovered) return;
      isRecovered = true;
      recoverAttachments(world, lookup.volumes);
      for (const key of world.pods.keys()) refreshPod(key);
      const volumes = [...world.desired.volumes(), ...world.actual.all().map(({ uniqueName }) => uniqueName)];
      for (const uniqueName of volumes) volumeReconciler.queue.add(uniqueName);
    };

    const podReconciler = createReconciler({
      name: 'attach-detach-pods',
      context,
      concurrency: 1,
      reconcile(key) {
        recover();
        for (const uniqueName of refreshPod(key)) volumeReconciler.queue.add(uniqueName);
        return Promise.resolve();
      },
    });
    const volumeReconciler = createReconciler({
      name: 'attach-detach',
      context,
      concurrency: 16,
      rateLimiter: exponentialRateLimiter({ baseMs: 50, capMs: 2 * 60_000 }),
      async reconcile(uniqueName) {
        recover();
        return { retryAfterMs: await reconcileVolume(world, uniqueName, refusals) };
      },
    });
    const nodeReconciler = createReconciler({
      name: 'attach-detach-nodes',
      context,
      async reconcile(name) {
        recover();
        const node = nodeLister.getByKey(name);
        if (node !== undefined && world.reports.differs(node)) await world.reports.repeat(name);
      },
    });
    const unfollow = followObjects(context, {
      world,
      queuePod: (pod) => podReconciler.queue.add(keyOf(pod)),
      queueVolume: (uniqueName) => volumeReconciler.queue.add(uniqueName),
      queueNode: (name) => nodeReconciler.queue.add(name),
    });
    // Where there are neither Pods nor nodes, there may still be attachments to take away.
    podReconciler.queue.add('');
    return {
      async stop() {
        unfollow();
        await Promise.all([podReconciler.stop(), volumeReconciler.stop(), nodeReconciler.stop()]);
      },
    };
  };

/** Detaches first, so that a Pod which moved finds its volume free. Answers when to come again. */
async function reconcileVolume(
  world: World,
  uniqueName: string,
  refusals: MultiAttachReports,
): Promise<number | undefined> {
  const wants = world.desired.wantsOf(uniqueName);
  const unwanted = world.actual.of(uniqueName).filter(({ node }) => !wants.has(node));
  const steps = [
    ...unwanted.map((attachment) => () => detachUnwanted(world, attachment)),
    ...[...wants.values()].map((want) => () => attachWanted(world, want, refusals)),
  ];
  const errors: unknown[] = [];
  let retryAfterMs = Infinity;
  for (const step of steps) {
    try {
      retryAfterMs = Math.min(retryAfterMs, (await step()) ?? Infinity);
    } catch (error) {
      // One node's trouble is not another's.
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${uniqueName}: several nodes failed`);
  return retryAfterMs === Infinity ? undefined : retryAfterMs;
}
