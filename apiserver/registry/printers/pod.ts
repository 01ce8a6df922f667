import type { Container, ContainerStatus, Pod } from '../../../api/types.ts';
import type { Column } from '../kind.ts';
import { age } from './age.ts';
import { AGE_COLUMN, NAME_COLUMN } from './rows.ts';

/** What `kubectl get pods` shows of one Pod. */
export interface PodSummary {
  ready: string;
  status: string;
  restarts: string;
}

interface Restarts {
  count: number;
  last: string;
}

const none: Restarts = { count: 0, last: '' };

const addRestarts = (sum: Restarts, { restartCount, lastState }: ContainerStatus): Restarts => {
  const finishedAt = lastState?.terminated?.finishedAt ?? '';
  return { count: sum.count + (restartCount ?? 0), last: finishedAt > sum.last ? finishedAt : sum.last };
};

/** Condenses containers and conditions into ready count, status word and restarts (upstream: internalversion printPod). */
export function summarizePod(pod: Pod): PodSummary {
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const total = (pod.spec?.containers?.length ?? 0) + sidecars.size;
  const init = summarizeInit(pod, sidecars);
  const initialized = conditionIs(pod, 'Initialized');
  const goesOn = init.reason === undefined || initialized;
  const main = goesOn ? summarizeMain(pod, init.reason ?? baseReason(pod), init.sidecarRestarts) : undefined;
  const reason = main?.reason ?? init.reason ?? baseReason(pod);
  return {
    ready: `${init.ready + (main?.ready ?? 0)}/${total}`,
    status: deletionReason(pod) ?? reason,
    restarts: showRestarts(main?.restarts ?? init.restarts),
  };
}

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

const conditionIs = ({ status }: Pod, type: string): boolean =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;

function baseReason({ status }: Pod): string {
  const gated = status?.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  if (gated === true) return 'SchedulingGated';
  return status?.reason || status?.phase || '';
}

function summarizeInit(pod: Pod, sidecars: Set<string>) {
  let ready = 0;
  let restarts = none;
  let sidecarRestarts = none;
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    restarts = addRestarts(restarts, status);
    const sidecar = sidecars.has(status.name);
    if (sidecar) sidecarRestarts = addRestarts(sidecarRestarts, status);
    if (status.state?.terminated?.exitCode === 0) continue;
    if (sidecar && status.started === true) {
      if (status.ready) ready += 1;
      continue;
    }
    const reason = initReason(status, index, pod.spec?.initContainers?.length ?? 0);
    return { ready, restarts, sidecarRestarts, reason };
  }
  return { ready, restarts, sidecarRestarts, reason: undefined };
}

function initReason({ state }: ContainerStatus, index: number, total: number): string {
  if (state?.terminated !== undefined) return `Init:${terminatedReason(state.terminated)}`;
  const waiting = state?.waiting?.reason ?? '';
  return waiting !== '' && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${index}/${total}`;
}

const terminatedReason = ({
  reason,
  signal,
  exitCode,
}: {
  reason?: string;
  signal?: number;
  exitCode: number;
}): string => reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);

function summarizeMain(pod: Pod, start: string, sidecarRestarts: Restarts) {
  let [reason, errorReason, ready, running] = [start, '', 0, false];
  let restarts = sidecarRestarts;
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    restarts = addRestarts(restarts, status);
    const { waiting, terminated } = status.state ?? {};
    if (waiting?.reason) {
      reason = waiting.reason;
    } else if (terminated !== undefined) {
      reason = terminatedReason(terminated);
      if (terminated.exitCode !== 0) errorReason = reason;
    } else if (status.ready && status.state?.running !== undefined) {
      running = true;
      ready += 1;
    }
  }
  return { reason: completedReason({ pod, reason, errorReason, running }), ready, restarts };
}

/** "Completed" of one container is not the Pod's word while another runs or failed. */
function completedReason(options: {
  pod: Pod;
  reason: string;
  errorReason: string;
  running: boolean;
}): string {
  const { pod, reason, errorReason, running } = options;
  if (reason !== 'Completed') return reason;
  if (running && conditionIs(pod, 'Ready')) return 'Running';
  return errorReason || (running ? 'NotReady' : reason);
}

function deletionReason({ metadata, status }: Pod): string | undefined {
  if (metadata?.deletionTimestamp === undefined) return undefined;
  if (status?.reason === 'NodeLost') return 'Unknown';
  return status?.phase === 'Succeeded' || status?.phase === 'Failed' ? undefined : 'Terminating';
}

const showRestarts = ({ count, last }: Restarts): string =>
  count === 0 || last === '' ? String(count) : `${count} (${age(last)} ago)`;

/** Summaries are used by three columns of one row. */
const summaries = new WeakMap<object, PodSummary>();

function summaryOf(pod: Pod): PodSummary {
  const known = summaries.get(pod);
  if (known !== undefined) return known;
  const summary = summarizePod(pod);
  summaries.set(pod, summary);
  return summary;
}

export const POD_COLUMNS: Column<Pod>[] = [
  NAME_COLUMN as unknown as Column<Pod>,
  {
    name: 'Ready',
    type: 'string',
    description: 'The aggregate readiness state of this pod for accepting traffic.',
    cell: (pod) => summaryOf(pod).ready,
  },
  {
    name: 'Status',
    type: 'string',
    description: 'The aggregate status of the containers in this pod.',
    cell: (pod) => summaryOf(pod).status,
  },
  {
    name: 'Restarts',
    type: 'string',
    description:
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    cell: (pod) => summarizePod(pod).restarts,
  },
  AGE_COLUMN as unknown as Column<Pod>,
  {
    name: 'IP',
    type: 'string',
    priority: 1,
    description:
      'podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.',
    cell: ({ status }) => status?.podIPs?.[0]?.ip ?? '<none>',
  },
  {
    name: 'Node',
    type: 'string',
    priority: 1,
    description: 'NodeName indicates in which node this pod is scheduled.',
    cell: ({ spec }) => spec?.nodeName || '<none>',
  },
  {
    name: 'Nominated Node',
    type: 'string',
    priority: 1,
    description: 'nominatedNodeName is set only when this pod preempts other pods on the node.',
    cell: ({ status }) => status?.nominatedNodeName || '<none>',
  },
  {
    name: 'Readiness Gates',
    type: 'string',
    priority: 1,
    description: 'If specified, all readiness gates will be evaluated for pod readiness.',
    cell: readinessGates,
  },
];

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  return `${gates.filter(({ conditionType }) => conditionIs(pod, conditionType)).length}/${gates.length}`;
}
