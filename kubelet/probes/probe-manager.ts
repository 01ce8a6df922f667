import type { Container, ContainerStatus, PodStatus, Probe } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import type { ProbeResult, ProbeResults } from '../actions/pod-actions.ts';
import type { CriClient } from '../cri/cri-client.ts';
import type { PodEvents } from '../pod-events.ts';
import { allContainers, isSidecar } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import type { Readiness } from '../status/generate-status.ts';
import { runProbe } from './run-probe.ts';
import type { ProbeOutcome } from './run-probe.ts';
import { startProbeWorker } from './probe-worker.ts';
import type { ProbeType, ProbeWorker } from './probe-worker.ts';

/** The probes of all Pods, and what they say. */
export interface ProbeManager extends ProbeResults, Readiness {
  addPod(pod: KubeletPod): void;
  /** A Pod that ends is no longer probed for liveness and startup. */
  stopLivenessAndStartup(pod: KubeletPod): void;
  removePod(uid: string): void;
  counts(): ProbeCount[];
  stop(): void;
}

/** How often a probe ended how, for the metrics. */
export interface ProbeCount {
  type: ProbeType;
  container: string;
  pod: string;
  namespace: string;
  podUid: string;
  result: 'successful' | 'failed' | 'unknown';
  count: number;
}

export interface ProbeManagerOptions {
  cri: CriClient;
  clock: Clock;
  events: PodEvents;
  startedAtMs: number;
  podOf: (uid: string) => KubeletPod | undefined;
  statusOf: (uid: string) => PodStatus | undefined;
  /** A result has changed: the Pod is to be synced. */
  onChange: (uid: string) => void;
}

const types: ProbeType[] = ['startup', 'liveness', 'readiness'];

/** Containers older than this at our start belong to a kubelet before us (upstream: kubeletRestartGracePeriod). */
const restartGraceMs = 10_000;

export function createProbeManager(options: ProbeManagerOptions): ProbeManager {
  const { clock, startedAtMs, podOf, statusOf, onChange } = options;
  const workers = new Map<string, ProbeWorker>();
  const results = Object.fromEntries(types.map((type) => [type, new Map<string, ProbeResult>()])) as Record<
    ProbeType,
    Map<string, ProbeResult>
  >;
  const counts = new Map<string, ProbeCount>();
  const keyOf = (uid: string, container: string, type: ProbeType) => `${uid}/${container}/${type}`;
  const add = (pod: KubeletPod, container: Container, type: ProbeType) => {
    const spec = probeOf(container, type);
    const { uid } = pod.metadata;
    const key = keyOf(uid, container.name, type);
    if (!spec || workers.has(key)) return;
    const worker = startProbeWorker({
      type,
      container,
      spec,
      clock,
      restartedBeforeMs: startedAtMs - restartGraceMs,
      pod: () => podOf(uid),
      status: () => statusOf(uid),
      hasResult: (id) => results[type].has(id),
      probe: async (containerId) => {
        const podIp = statusOf(uid)?.podIP ?? '';
        const outcome = await runProbe(spec, { cri: options.cri, container, containerId, podIp });
        count(counts, {
          pod,
          container,
          type,
          result: outcome.result === 'failure' ? 'failed' : 'successful',
        });
        return outcome;
      },
      report(outcome) {
        if (outcome.result === 'errored') count(counts, { pod, container, type, result: 'unknown' });
        reportProbe(options.events, { pod, container, type, outcome });
      },
      setResult(id, result) {
        if (results[type].get(id) === result) return;
        if (result === undefined) results[type].delete(id);
        else results[type].set(id, result);
        if (result !== undefined) onChange(uid);
      },
      onEnd: () => workers.delete(key),
    });
    workers.set(key, worker);
  };
  const stopWorkers = (uid: string, which: ProbeType[]) => {
    for (const [key, worker] of workers) {
      if (which.some((type) => key.startsWith(`${uid}/`) && key.endsWith(`/${type}`))) worker.stop();
    }
  };
  const isStarted = (pod: KubeletPod, status: ContainerStatus): boolean => {
    if (!status.state?.running) return false;
    const result = results.startup.get(idOf(status));
    if (result !== undefined) return result === 'success';
    if (status.started) return true;
    return !workers.has(keyOf(pod.metadata.uid, status.name, 'startup')) && !hasProbe(pod, status, 'startup');
  };
  return {
    addPod(pod) {
      for (const { container, kind } of allContainers(pod)) {
        if (kind === 'ephemeral container') continue;
        if (kind === 'init container' && !isSidecar(container)) continue;
        for (const type of types) add(pod, container, type);
      }
    },
    stopLivenessAndStartup: ({ metadata }) => stopWorkers(metadata.uid, ['liveness', 'startup']),
    removePod(uid) {
      stopWorkers(uid, types);
      for (const [key, { podUid }] of counts) if (podUid === uid) counts.delete(key);
    },
    liveness: (id) => results.liveness.get(id),
    startup: (id) => results.startup.get(id),
    isStarted,
    isReady(pod, status) {
      if (!status.state?.running) return false;
      const result = results.readiness.get(idOf(status));
      if (result === 'success') return true;
      if (result === undefined && adopted(status, startedAtMs)) {
        return !hasProbe(pod, status, 'readiness') || wasReady(pod);
      }
      const worker = workers.get(keyOf(pod.metadata.uid, status.name, 'readiness'));
      worker?.trigger();
      return !worker && !hasProbe(pod, status, 'readiness');
    },
    counts: () => [...counts.values()],
    stop() {
      for (const worker of workers.values()) worker.stop();
    },
  };
}

const probeOf = (container: Container, type: ProbeType): Probe | undefined =>
  ({
    startup: container.startupProbe,
    liveness: container.livenessProbe,
    readiness: container.readinessProbe,
  })[type];

const idOf = ({ containerID }: ContainerStatus): string => (containerID ?? '').replace(/^.*:\/\//, '');

const hasProbe = (pod: KubeletPod, { name }: ContainerStatus, type: ProbeType): boolean => {
  const found = allContainers(pod).find(({ container }) => container.name === name);
  return found !== undefined && probeOf(found.container, type) !== undefined;
};

/** Until the first probe after our own restart, what the API server says holds. */
const adopted = ({ state }: ContainerStatus, startedAtMs: number): boolean =>
  Date.parse(state?.running?.startedAt ?? '') < startedAtMs - restartGraceMs;

const wasReady = ({ status }: KubeletPod): boolean =>
  status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;

const titles: Record<ProbeType, string> = {
  startup: 'Startup',
  liveness: 'Liveness',
  readiness: 'Readiness',
};

function reportProbe(
  events: PodEvents,
  {
    pod,
    container,
    type,
    outcome: { result, output },
  }: {
    pod: KubeletPod;
    container: Container;
    type: ProbeType;
    outcome: ProbeOutcome | { result: 'errored'; output: string };
  },
): void {
  const about = { pod, container: container.name };
  const title = titles[type];
  if (result === 'failure') {
    events.container(about, 'Warning', 'Unhealthy', `${title} probe failed: ${output}`);
  } else if (result === 'warning') {
    events.container(about, 'Warning', 'ProbeWarning', `${title} probe warning: ${output}`);
  } else if (result === 'errored') {
    const message = `${title} probe errored and resulted in unknown state: ${output}`;
    events.container(about, 'Warning', 'Unhealthy', message);
  }
}

function count(
  counts: Map<string, ProbeCount>,
  {
    pod,
    container,
    type,
    result,
  }: { pod: KubeletPod; container: Container; type: ProbeType; result: ProbeCount['result'] },
): void {
  const { uid, name, namespace } = pod.metadata;
  const key = `${uid}/${container.name}/${type}/${result}`;
  const known = counts.get(key) ?? {
    type,
    container: container.name,
    pod: name,
    namespace,
    podUid: uid,
    result,
    count: 0,
  };
  counts.set(key, { ...known, count: known.count + 1 });
}
