import { isDeepStrictEqual } from 'node:util';
import type { Container, ContainerStatus, PodCondition, PodStatus } from '../../api/types.ts';
import { mayRestartAll, mustRestartAll, restartingCondition } from '../actions/restart-all.ts';
import { sandboxChange } from '../actions/sandbox-change.ts';
import { isSidecar } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import type { PodRuntimeStatus } from '../runtime-status/runtime-status.ts';
import { reportedResources } from './container-statuses.ts';
import type { Phase } from './phase.ts';

/** The conditions that the kubelet alone writes; all others in the status are left as they are. */
const ownConditions = new Set([
  'PodScheduled',
  'Ready',
  'Initialized',
  'ContainersReady',
  'PodReadyToStartContainers',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
]);

export const isOwnCondition = (type: string): boolean => ownConditions.has(type);

/** Own conditions that are not False but gone when they are over. */
export const isPassingCondition = (type: string): boolean => type === 'PodResizePending';

export interface ConditionsInput {
  pod: KubeletPod;
  previous: PodStatus;
  runtime: PodRuntimeStatus;
  phase: Phase;
  /** Init and regular containers. */
  statuses: ContainerStatus[];
}

/** All conditions of the Pod: foreign ones kept, the kubelet's made anew (upstream: status/generate.go). */
export function conditionsOf(input: ConditionsInput): PodCondition[] {
  const { pod, previous, runtime } = input;
  const foreign = (pod.status.conditions ?? []).filter(({ type }) => !isOwnCondition(type));
  const containersReady = containersReadyCondition(input);
  const own: PodCondition[] = [
    {
      type: 'PodReadyToStartContainers',
      status: sandboxChange(pod, runtime).changed ? 'False' : 'True',
    },
    initializedCondition(input),
    readyCondition(input, containersReady, foreign),
    containersReady,
    { type: 'PodScheduled', status: 'True' },
    ...(mayRestartAll(pod) ? [restartingAllCondition(input)] : []),
    ...resizeConditions(input),
  ];
  return [...foreign, ...own.map((condition) => withHistory(condition, pod, previous))];
}

/** The conditions as they are, with those anew that follow from whether containers are ready. */
export function readyConditions(
  pod: KubeletPod,
  told: PodStatus,
  statuses: ContainerStatus[],
): PodCondition[] {
  const conditions = told.conditions ?? [];
  const phase = told.phase as Phase;
  const containersReady = containersReadyCondition({ pod, phase, statuses });
  const foreign = conditions.filter(({ type }) => !isOwnCondition(type));
  const anew = [readyCondition({ pod }, containersReady, foreign), containersReady];
  return conditions.map((condition) => {
    const made = anew.find(({ type }) => type === condition.type);
    return made ? withHistory(made, pod, told) : condition;
  });
}

function restartingAllCondition({ pod, previous, runtime, phase }: ConditionsInput): PodCondition {
  const type = restartingCondition;
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  if (!mustRestartAll(pod, runtime, previous)) return { type, status: 'False' };
  const message = 'container exited with restart policy rule';
  return { type, status: 'True', reason: 'RestartAllContainersStarted', message };
}

/** No container is resized while it runs; that it was asked for and will not be is told in upstream's condition. */
function resizeConditions({ pod, statuses }: ConditionsInput): PodCondition[] {
  const kept = lastingContainers(pod).filter((container) => {
    const { state, resources } = namedStatus(statuses, container.name) ?? {};
    return state?.running !== undefined && !isDeepStrictEqual(resources, reportedResources(container));
  });
  if (kept.length === 0) return [];
  const names = goList(kept.map(({ name }) => name));
  const message = `in-place resize is not supported by this node: containers ${names} keep their resources until they are started again`;
  return [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible', message }];
}

/** The transition time stays while the status does. */
function withHistory(condition: PodCondition, pod: KubeletPod, previous: PodStatus): PodCondition {
  const before = previous.conditions?.find(({ type }) => type === condition.type);
  const lastTransitionTime =
    before?.status === condition.status && before.lastTransitionTime
      ? before.lastTransitionTime
      : `${new Date().toISOString().slice(0, 19)}Z`;
  const { generation } = pod.metadata;
  return {
    ...condition,
    lastTransitionTime,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}

/** Those that run as long as the Pod. */
const lastingContainers = ({ spec }: KubeletPod): Container[] => [
  ...(spec.initContainers ?? []).filter(isSidecar),
  ...spec.containers,
];

const goList = (names: string[]): string => `[${names.join(' ')}]`;

const namedStatus = (statuses: ContainerStatus[], name: string) =>
  statuses.find((status) => status.name === name);

function containersReadyCondition({
  pod,
  phase,
  statuses,
}: Pick<ConditionsInput, 'pod' | 'phase' | 'statuses'>): PodCondition {
  const type = 'ContainersReady';
  const watched = lastingContainers(pod);
  const unknown = watched.filter(({ name }) => !namedStatus(statuses, name)).map(({ name }) => name);
  const unready = watched
    .filter(({ name }) => namedStatus(statuses, name)?.ready === false)
    .map(({ name }) => name);
  if (phase === 'Succeeded' && unknown.length === 0) {
    return { type, status: 'False', reason: 'PodCompleted' };
  }
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const message = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${goList(unknown)}`] : []),
    ...(unready.length > 0 ? [`containers with unready status: ${goList(unready)}`] : []),
  ].join(', ');
  if (message) return { type, status: 'False', reason: 'ContainersNotReady', message };
  return { type, status: 'True' };
}

function readyCondition(
  { pod }: Pick<ConditionsInput, 'pod'>,
  containersReady: PodCondition,
  foreign: PodCondition[],
): PodCondition {
  const type = 'Ready';
  if (containersReady.status !== 'True') return { ...containersReady, type };
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = foreign.find((condition) => condition.type === conditionType);
    if (!gate) return `corresponding condition of pod readiness gate "${conditionType}" does not exist.`;
    if (gate.status === 'True') return [];
    return `the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`;
  });
  if (messages.length === 0) return { type, status: 'True' };
  return { type, status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

function initializedCondition({ pod, previous, phase, statuses }: ConditionsInput): PodCondition {
  const type = 'Initialized';
  const { spec } = pod;
  const init = spec.initContainers ?? [];
  const unknown = init.filter(({ name }) => !namedStatus(statuses, name)).map(({ name }) => name);
  const incomplete = init
    .filter((container) => {
      const status = namedStatus(statuses, container.name);
      return status && !(isSidecar(container) ? status.started : status.ready);
    })
    .map(({ name }) => name);
  if (phase === 'Succeeded' && unknown.length === 0) {
    return { type, status: 'True', reason: 'PodCompleted' };
  }
  const begun = spec.containers.some(({ name }) => {
    const state = namedStatus(statuses, name)?.state;
    return state?.running ?? state?.terminated;
  });
  // Once it was, it stays so when all start anew (KEP-5532).
  const wasBefore = previous.conditions?.some((one) => one.type === type && one.status === 'True');
  if (begun || wasBefore === true) return { type, status: 'True' };
  const message = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${goList(unknown)}`] : []),
    ...(incomplete.length > 0 ? [`containers with incomplete status: ${goList(incomplete)}`] : []),
  ].join(', ');
  if (message) return { type, status: 'False', reason: 'ContainersNotInitialized', message };
  return { type, status: 'True' };
}
