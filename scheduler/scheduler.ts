import type { Pod, PodCondition } from '../api/types.ts';
import { timeOf } from '../client/clock.ts';
import type { Clock } from '../client/clock.ts';
import { isNotFound } from '../client/errors.ts';
import { pods } from '../client/resources.ts';
import type { SchedulerCache } from './cache.ts';
import { createCycleState } from './framework/cycle-state.ts';
import type { CycleState } from './framework/cycle-state.ts';
import { findFeasibleNodes } from './framework/filter-nodes.ts';
import { fitErrorMessage } from './framework/fit-error.ts';
import type { SchedulerHandle } from './framework/handle.ts';
import type { Plugin, PodOnNode, PostFilterResult, Rejection } from './framework/plugin.ts';
import { pluginFailure } from './framework/plugin-failure.ts';
import { podSelection } from './framework/pod-selection.ts';
import { chooseNode } from './framework/score-nodes.ts';
import type { PreBinds } from './pre-binds.ts';
import type { QueuedPod, SchedulingQueue } from './queue.ts';

export interface SchedulingOptions {
  handle: SchedulerHandle;
  cache: SchedulerCache;
  queue: SchedulingQueue;
  preBinds: PreBinds;
  plugins: readonly Plugin[];
  clock: Clock;
  signal: AbortSignal;
  onError: (error: unknown) => void;
}

interface Failure {
  message: string;
  reason: 'Unschedulable' | 'SchedulerError';
  rejectedBy: ReadonlySet<string>;
  /** Empty to take an earlier nomination back, as all failures do but those that wait for victims to go. */
  nominatedNodeName: string | undefined;
}

/** Upstream's limit of an event's note, in characters. */
const maxMessageLength = 1024;

/**
 * One pod: chooses a node, assumes the pod there, and binds it in the background. Everything up to the
 * assumption is synchronous, so that the next pod already sees it. Resolves when the binding is done.
 */
export const scheduleOne = async (queued: QueuedPod, options: SchedulingOptions): Promise<void> => {
  const { cache, plugins } = options;
  const { pod } = queued;
  if (pod.metadata?.deletionTimestamp !== undefined) return skipDeleting(pod, options);
  if (cache.isAssumed(pod)) return;
  const state = createCycleState();
  const chosen = findNode({ pod, state }, options);
  if ('reason' in chosen) return fail(queued, chosen, options);

  const placed: PodOnNode = { pod, state, nodeName: chosen.nodeName };
  cache.assume(pod, chosen.nodeName);
  try {
    reserve(placed, plugins);
    const permitted = permit(placed, plugins);
    await bind(queued, { placed, permitted }, options);
  } catch (error) {
    release(placed, options);
    if (options.signal.aborted) return;
    // The pod was deleted while it was bound: there is nothing left to place.
    if (isNotFound(error)) return;
    await fail(queued, failureOf(error), options);
  }
};

const skipDeleting = (pod: Pod, { handle }: SchedulingOptions): void => {
  const { name = '', namespace = '' } = pod.metadata ?? {};
  const message = `skip schedule deleting pod: ${namespace}/${name}`;
  handle.recorder.event({ object: pod, type: 'Warning', reason: 'FailedScheduling', message });
};

const findNode = (
  { pod, state }: { pod: Pod; state: CycleState },
  { cache, plugins, onError }: SchedulingOptions,
): { nodeName: string } | Failure => {
  const nodes = cache.nodes();
  if (nodes.length === 0) return noNodes;
  try {
    const outcome = findFeasibleNodes(plugins, { pod, state, nodes, withNominated: cache.withNominated });
    const chosen = chooseNode(plugins, { pod, state, nodes: outcome.feasible, allNodes: nodes });
    if (chosen !== undefined) return { nodeName: chosen.name };
    const { rejections, absent, preFilterMessage, rejectedBy } = outcome;
    const result = postFilter(plugins, { pod, state, rejections, absent });
    const postFilterMessage = result.message;
    return {
      reason: 'Unschedulable',
      message: fitErrorMessage({
        nodeCount: nodes.length,
        preFilterMessage,
        rejections,
        absent,
        postFilterMessage,
      }),
      rejectedBy,
      nominatedNodeName: result.nominatedNodeName,
    };
  } catch (error) {
    onError(error);
    return failureOf(error);
  }
};

const noNodes: Failure = {
  reason: 'Unschedulable',
  message: 'no nodes available to schedule pods',
  rejectedBy: new Set(),
  nominatedNodeName: '',
};

const postFilter = (
  plugins: readonly Plugin[],
  options: Parameters<NonNullable<Plugin['postFilter']>>[0],
): PostFilterResult => {
  for (const plugin of plugins) {
    const result = plugin.postFilter?.(options);
    if (result !== undefined) return result;
  }
  return {};
};

const reserve = (placed: PodOnNode, plugins: readonly Plugin[]): void => {
  for (const plugin of plugins) {
    let rejection: Rejection | undefined;
    try {
      rejection = plugin.reserve?.(placed);
    } catch (error) {
      throw pluginFailure(`running Reserve plugin ${JSON.stringify(plugin.name)}`, error);
    }
    if (rejection !== undefined) throw new PodRejected({ ...rejection, plugin: plugin.name });
  }
};

/** Thrown from reserve to bind: the pod is rejected after all. */
class PodRejected extends Error {
  readonly rejection: Rejection;
  constructor(rejection: Rejection) {
    super(rejection.reasons.join(', '));
    this.rejection = rejection;
  }
}

const permit = (placed: PodOnNode, plugins: readonly Plugin[]): Promise<unknown> | undefined => {
  const waits: Promise<void>[] = [];
  for (const plugin of plugins) {
    const answer = plugin.permit?.(placed);
    if (answer instanceof Promise) waits.push(answer);
    else if (answer !== undefined) throw new PodRejected({ ...answer, plugin: plugin.name });
  }
  return waits.length === 0 ? undefined : Promise.all(waits);
};

const bind = async (
  queued: QueuedPod,
  { placed, permitted }: { placed: PodOnNode; permitted: Promise<unknown> | undefined },
  options: SchedulingOptions,
): Promise<void> => {
  const { plugins, handle, preBinds, signal } = options;
  if (permitted !== undefined) await permitted;
  const preBindAll = async (either: AbortSignal) => {
    if (plugins.some((plugin) => plugin.preBindPreFlight?.(placed))) await nominate(queued, placed, options);
    for (const plugin of plugins) await preBind(placed, { plugin, signal: either });
  };
  await preBinds.run(placed.pod, preBindAll, signal);
  await bindWithFirst(placed, { plugins, signal });
  for (const plugin of plugins) plugin.postBind?.(placed);
  const { name = '', namespace = '' } = placed.pod.metadata ?? {};
  const message = `Successfully assigned ${namespace}/${name} to ${placed.nodeName}`;
  handle.recorder.event({ object: placed.pod, type: 'Normal', reason: 'Scheduled', message });
};

/**
 * Lets others, such as an autoscaler, know where a pod is expected that can't be bound yet (KEP-5278). It is bound all
 * the same when that fails. Nothing aborts it, so that it has ended before a binding that fails takes it back.
 */
const nominate = async (
  queued: QueuedPod,
  { pod, nodeName }: PodOnNode,
  { handle, onError }: SchedulingOptions,
): Promise<void> => {
  if (nominatedNodeOf(pod) === nodeName) return;
  const patch = { metadata: { uid: pod.metadata?.uid }, status: { nominatedNodeName: nodeName } };
  try {
    queued.pod = await handle.client
      .resource(pods)
      .patch({ ...nameOf(pod), type: 'strategic', subresource: 'status', patch });
  } catch (error) {
    if (!isNotFound(error)) onError(error);
  }
};

const preBind = async (
  placed: PodOnNode,
  { plugin, signal }: { plugin: Plugin; signal: AbortSignal },
): Promise<void> => {
  try {
    await plugin.preBind?.({ ...placed, signal });
  } catch (error) {
    throw pluginFailure(`running PreBind plugin ${JSON.stringify(plugin.name)}`, error);
  }
};

const bindWithFirst = async (
  placed: PodOnNode,
  { plugins, signal }: Pick<SchedulingOptions, 'plugins' | 'signal'>,
): Promise<void> => {
  for (const plugin of plugins) {
    try {
      if (await plugin.bind?.({ ...placed, signal })) return;
    } catch (error) {
      // The pod is gone: its caller has to see that.
      if (isNotFound(error)) throw error;
      throw pluginFailure(`running Bind plugin ${JSON.stringify(plugin.name)}`, error);
    }
  }
  throw new Error('no plugin binds the pod');
};

const release = (placed: PodOnNode, { cache, plugins, queue }: SchedulingOptions): void => {
  for (const plugin of plugins.toReversed()) plugin.unreserve?.(placed);
  cache.forget(placed.pod);
  // Others may fit now, as if the pod had been deleted from the node.
  queue.moveOnEvent({ resource: 'AssignedPod', action: 'Delete', previous: placed.pod });
};

const failureOf = (error: unknown): Failure => {
  const rejection = error instanceof PodRejected ? error.rejection : (error as Partial<Rejection>);
  if (rejection.reasons === undefined) {
    const message = error instanceof Error ? error.message : String(error);
    return { reason: 'SchedulerError', message, rejectedBy: new Set(), nominatedNodeName: '' };
  }
  const { plugin = '', reasons } = rejection;
  const rejections = new Map([[plugin, { code: 'Unschedulable', reasons } as Rejection]]);
  const message = fitErrorMessage({ nodeCount: 1, rejections });
  return { reason: 'Unschedulable', message, rejectedBy: new Set([plugin]), nominatedNodeName: '' };
};

/** Back to the queue, with an event and a condition that tell why. */
const fail = async (queued: QueuedPod, failure: Failure, options: SchedulingOptions): Promise<void> => {
  const { handle, cache, queue, onError } = options;
  const present = handle.informers.informer(pods, podSelection).lister.get(nameOf(queued.pod));
  if (present === undefined || present.metadata?.uid !== queued.pod.metadata?.uid) return;
  if ((present.spec?.nodeName ?? '') !== '') return;
  const { message, reason, rejectedBy, nominatedNodeName } = failure;
  if (nominatedNodeName !== undefined) cache.nominate(present, nominatedNodeName || undefined);
  queue.requeue({ ...queued, pod: present }, { rejectedBy, hadError: reason === 'SchedulerError' });
  const note = message.length <= maxMessageLength ? message : `${message.slice(0, maxMessageLength - 4)} ...`;
  handle.recorder.event({ object: present, type: 'Warning', reason: 'FailedScheduling', message: note });
  await writeCondition({ present, tried: queued.pod }, failure, options).catch((error: unknown) => {
    if (!isNotFound(error)) onError(error);
  });
};

const writeCondition = async (
  { present, tried }: { present: Pod; tried: Pod },
  { message, reason, nominatedNodeName }: Failure,
  { handle, clock }: SchedulingOptions,
): Promise<void> => {
  const previous = present.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const sameCondition =
    previous?.status === 'False' && previous.reason === reason && previous.message === message;
  // What was written for preBind may not have come back through the informer yet.
  const sameNomination =
    nominatedNodeName === undefined ||
    [present, tried].every((pod) => nominatedNodeOf(pod) === nominatedNodeName);
  if (sameCondition && sameNomination) return;
  const lastTransitionTime = previous?.status === 'False' ? previous.lastTransitionTime : timeOf(clock.now());
  const { generation, uid } = present.metadata ?? {};
  const condition: Partial<PodCondition> = {
    type: 'PodScheduled',
    status: 'False',
    reason,
    message,
    ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  const nomination = sameNomination
    ? {}
    : { nominatedNodeName: nominatedNodeName === '' ? null : nominatedNodeName };
  await handle.client.resource(pods).patch({
    ...nameOf(present),
    type: 'strategic',
    subresource: 'status',
    patch: { metadata: { uid }, status: { conditions: [condition], ...nomination } },
  });
};

const nominatedNodeOf = ({ status }: Pod): string => status?.nominatedNodeName ?? '';

const nameOf = ({ metadata }: Pod) => ({ name: metadata?.name ?? '', namespace: metadata?.namespace });
