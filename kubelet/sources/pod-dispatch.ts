import { isDeepStrictEqual } from 'node:util';
import type { Pod } from '../../api/types.ts';
import type { Amounts } from '../resources/amounts.ts';
import { asKubeletPod, isMirrorPod, isStaticPod, isTerminalPhase } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import type { PodEvents } from '../pod-events.ts';
import type { PodCache } from '../runtime-status/pod-cache.ts';
import { isOwnCondition } from '../status/conditions.ts';
import type { StatusManager } from '../status/status-manager.ts';
import type { PodWorkers } from '../workers/pod-workers.ts';
import { admit } from './admission.ts';
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
  nodeLabels(): Record<string, string>;
}

export function createPodDispatch(options: PodDispatchOptions): PodDispatch {
  const { directory, workers, mirrors, statuses } = options;
  const waiting = new Map<string, KubeletPod>();

  const start = (pod: KubeletPod) => {
    directory.set(pod);
    if (!workers.get(pod.metadata.uid) && refuse(options, pod)) return;
    const worker = workers.get(pod.metadata.uid);
    const wanted = !pod.metadata.deletionTimestamp && (!worker || worker.state === 'syncing');
    if (wanted && !isTerminalPhase(pod.status.phase)) options.onWanted(pod);
    workers.update(pod);
  };
  const setMirror = (pod: KubeletPod) => {
    directory.set(pod);
    const { name, namespace } = pod.metadata;
    const own = directory.byName(namespace, name);
    if (own) statuses.observe(own.metadata.uid);
    else mirrors.removeOrphans();
  };
  const startStatic = (pod: KubeletPod) => {
    const name = fullName(pod);
    const before = workers
      .list()
      .find((worker) => fullName(worker.pod) === name && worker.pod.metadata.uid !== pod.metadata.uid);
    if (before) {
      waiting.set(name, pod);
      return;
    }
    waiting.delete(name);
    start(pod);
    mirrors.ensure(pod);
  };
  return {
    set(received) {
      const pod = asKubeletPod(received);
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
      const pod = asKubeletPod(received);
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
      mirrors.removeOrphans();
    },
    forgotten(pod) {
      const next = waiting.get(fullName(pod));
      if (next) startStatic(next);
    },
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

/** A Pod that the node cannot run fails at once; one that already runs here is never refused. */
function refuse(options: PodDispatchOptions, pod: KubeletPod): boolean {
  const { uid, deletionTimestamp } = pod.metadata;
  if (deletionTimestamp || isTerminalPhase(pod.status.phase) || options.cache.get(uid)) return false;
  const others = options.directory.list().filter(({ metadata, status }) => {
    const known = options.statuses.get(metadata.uid);
    return metadata.uid !== uid && !isTerminalPhase((known ?? status).phase);
  });
  const rejection = admit({
    pod,
    others,
    allocatable: options.allocatable(),
    nodeLabels: options.nodeLabels(),
  });
  if (!rejection) return false;
  options.events.pod(pod, 'Warning', rejection.reason, rejection.message);
  options.workers.fail(pod, {
    reason: rejection.reason,
    message: `Pod was rejected: ${rejection.message}`,
  });
  return true;
}
