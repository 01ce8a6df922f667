import { isDeepStrictEqual } from 'node:util';
import type { Node, Pod } from '../../api/types.ts';
import type { Amounts } from '../resources/amounts.ts';
import { asKubeletPod, isMirrorPod, isStaticPod, isTerminalPhase, sourceAnnotation } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import type { PodEvents } from '../pod-events.ts';
import type { PodCache } from '../runtime-status/pod-cache.ts';
import { isOwnCondition } from '../status/conditions.ts';
import type { StatusManager } from '../status/status-manager.ts';
import type { PodWorker } from '../workers/pod-worker.ts';
import type { PodWorkers } from '../workers/pod-workers.ts';
import { admit } from './admission.ts';
import type { Rejection } from './admission.ts';
import type { MirrorPods } from './mirror-pods.ts';
import type { PodDirectory } from './pod-directory.ts';

/** Takes Pods in from both sources and hands them to their workers. */
export interface PodDispatch {
  /** A Pod of this node in the API server was added or has changed. */
  set(pod: Pod): void;
  /** Its object is gone. */
  remove(pod: Pod): void;
  /** All static Pods there are. */
  setStatic(pods: KubeletPod[]): void;
  /** A Pod is over and forgotten: a static Pod of its name that waited may start. */
  forgotten(pod: KubeletPod): void;
}

export interface PodDispatchOptions {
  directory: PodDirectory;
  workers: PodWorkers;
  mirrors: MirrorPods;
  statuses: StatusManager;
  cache: PodCache;
  events: PodEvents;
  /** A wanted Pod has come or changed: its volumes follow at once. */
  onWanted(pod: KubeletPod): void;
  allocatable(): Amounts;
  /** This node as last seen. */
  node(): Node;
  /** This node as the API server has it now. */
  fetchNode(): Promise<Node>;
}

export function createPodDispatch(options: PodDispatchOptions): PodDispatch {
  const { directory, workers, mirrors, statuses } = options;
  /** Static Pods whose predecessor of the same name has not ended yet. */
  const waiting = new Map<string, KubeletPod>();
  /** Until then a mirror without a static Pod may only be one whose file was not read yet. */
  let staticPodsKnown = false;

  const start = (pod: KubeletPod) => {
    directory.set(pod);
    const rejection = rejectionOf(options, pod, options.node());
    if (!rejection) return accept(pod);
    if (rejection.reason !== 'NodeAffinity') return refuse(options, pod, rejection);
    void startWithFreshNode(pod);
  };
  // The scheduler may have seen a label that this kubelet hasn't.
  const startWithFreshNode = async (pod: KubeletPod) => {
    const node = await options.fetchNode().catch(() => undefined);
    const latest = directory.get(pod.metadata.uid);
    if (!latest) return;
    const still = rejectionOf(options, latest, node ?? options.node());
    if (still) refuse(options, latest, still);
    else accept(latest);
  };
  const accept = (pod: KubeletPod) => {
    const worker = workers.get(pod.metadata.uid);
    const wanted = !pod.metadata.deletionTimestamp && (!worker || worker.state === 'syncing');
    if (wanted && !isTerminalPhase(pod.status.phase)) options.onWanted(pod);
    workers.update(pod);
  };
  const setMirror = (pod: KubeletPod) => {
    directory.set(pod);
    const { name, namespace } = pod.metadata;
    const own = directory.byName(namespace, name);
    if (own) {
      statuses.observe(own.metadata.uid);
      // One that is being deleted, or says otherwise than the file, is replaced at once.
      mirrors.ensure(own);
    } else if (staticPodsKnown) mirrors.removeOrphans();
  };
  const startStatic = (pod: KubeletPod) => {
    const name = fullName(pod);
    const isBefore = ({ pod: other, state }: PodWorker) =>
      fullName(other) === name && (other.metadata.uid !== pod.metadata.uid || state !== 'syncing');
    // The same Pod too, when its file was taken away and put back: its worker only ever goes on to its end.
    if (workers.list().some(isBefore)) {
      waiting.set(name, pod);
      return;
    }
    waiting.delete(name);
    start(pod);
    mirrors.ensure(pod);
  };
  return {
    set(received) {
      const pod = fromApi(received);
      if (isMirrorPod(pod)) return setMirror(pod);
      const before = directory.get(pod.metadata.uid);
      if (before && !needsSync(before, pod)) {
        directory.set(pod);
        workers.get(pod.metadata.uid)?.observe(pod);
        statuses.observe(pod.metadata.uid);
        return;
      }
      start(pod);
    },
    remove(received) {
      const pod = fromApi(received);
      directory.remove(pod);
      if (!isMirrorPod(pod)) return workers.remove(pod);
      const own = directory.byName(pod.metadata.namespace, pod.metadata.name);
      if (own) mirrors.ensure(own);
    },
    setStatic(pods) {
      const uids = new Set(pods.map(({ metadata }) => metadata.uid));
      for (const known of directory.list()) {
        if (!isStaticPod(known) || uids.has(known.metadata.uid)) continue;
        directory.remove(known);
        workers.remove(known);
      }
      for (const name of waiting.keys())
        if (!pods.some((pod) => fullName(pod) === name)) waiting.delete(name);
      for (const pod of pods) if (!directory.get(pod.metadata.uid)) startStatic(pod);
      staticPodsKnown = true;
      mirrors.removeOrphans();
    },
    forgotten(pod) {
      const next = waiting.get(fullName(pod));
      if (next) startStatic(next);
      else if (staticPodsKnown) mirrors.removeOrphans();
    },
  };
}

/** Where a Pod comes from is not for its author to say: one that claimed to be static would have its status in no mirror. */
function fromApi(received: Pod): KubeletPod {
  const pod = asKubeletPod(received);
  const { annotations } = pod.metadata;
  if (annotations?.[sourceAnnotation] === undefined || isMirrorPod(pod)) return pod;
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations: { ...annotations, [sourceAnnotation]: 'api' } },
  };
}

const fullName = ({ metadata }: KubeletPod): string => `${metadata.namespace}/${metadata.name}`;

/** A change of the status alone is mostly our own; only conditions of readiness gates are news. */
function needsSync(before: KubeletPod, after: KubeletPod): boolean {
  if (!isDeepStrictEqual(wishesOf(before), wishesOf(after))) return true;
  if (!after.spec.readinessGates?.length) return false;
  return !isDeepStrictEqual(foreignConditions(before), foreignConditions(after));
}

const wishesOf = ({ metadata, spec }: KubeletPod) => {
  const { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  return { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds, spec };
};

const foreignConditions = ({ status }: KubeletPod) =>
  (status.conditions ?? []).filter(({ type }) => !isOwnCondition(type));

/** Why the node cannot run the Pod; one that already runs here is never refused. */
function rejectionOf(options: PodDispatchOptions, pod: KubeletPod, node: Node): Rejection | undefined {
  const { uid, deletionTimestamp } = pod.metadata;
  if (deletionTimestamp || isTerminalPhase(pod.status.phase)) return undefined;
  if (options.workers.get(uid) || options.cache.get(uid)) return undefined;
  const others = options.directory.list().filter(({ metadata, status }) => {
    const known = options.statuses.get(metadata.uid);
    return metadata.uid !== uid && !isTerminalPhase((known ?? status).phase);
  });
  return admit({ pod, others, allocatable: options.allocatable(), node });
}

function refuse(
  { events, workers }: PodDispatchOptions,
  pod: KubeletPod,
  { reason, message }: Rejection,
): void {
  events.pod(pod, 'Warning', reason, message);
  workers.fail(pod, { reason, message: `Pod was rejected: ${message}`, isRejection: true });
}
