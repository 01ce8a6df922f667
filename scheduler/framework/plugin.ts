import type { Pod } from '../../api/types.ts';
import type { ResourceId } from '../../client/objects.ts';
import type { QueueingHint } from './cluster-event.ts';
import type { CycleState } from './cycle-state.ts';
import type { NodeInfo } from './node-info.ts';

/**
 * Why a pod doesn't get a node. `Unschedulable` may be helped by preemption, `UnschedulableAndUnresolvable` not.
 * The reasons are shown to the user, with upstream's words.
 */
export interface Rejection {
  code: 'Unschedulable' | 'UnschedulableAndUnresolvable';
  reasons: string[];
  /** Set by the framework. */
  plugin?: string;
}

export interface PreFilterResult {
  rejection?: Rejection;
  /** Only these nodes can fit; all when undefined. */
  nodeNames?: ReadonlySet<string>;
  /** This plugin's filter has nothing to say about the pod. */
  skip?: boolean;
}

export interface PodCycle {
  pod: Pod;
  state: CycleState;
}

export interface PodAndNode extends PodCycle {
  node: NodeInfo;
}

export interface PodOnNode extends PodCycle {
  nodeName: string;
}

export interface PostFilterResult {
  /** Joins the message of the failure. */
  message?: string;
  /** Where the pod is expected to fit soon; empty to take an earlier nomination back. */
  nominatedNodeName?: string;
}

/**
 * A plugin of the scheduling framework (upstream's extension points). Everything up to reserve runs within
 * one synchronous cycle, so that what it sees can't change meanwhile; preBind and bind run asynchronously, many
 * pods at a time.
 *
 *     preEnqueue ─▶ queue ─▶ preFilter ─▶ filter ─▶ score ─▶ reserve ─▶ permit ─▶ (wait) ─▶ preBind ─▶ bind
 *                              └──── no node ────▶ postFilter ─▶ back to the queue
 */
export interface Plugin {
  readonly name: string;
  /** Share of this plugin's score, 1 when not given. */
  readonly weight?: number;
  /** Which changes of the cluster may let a pod in that this plugin rejected. */
  readonly hints?: readonly QueueingHint[];
  /** Resources besides nodes and pods whose changes become cluster events of that name. */
  readonly watchedResources?: Readonly<Record<string, ResourceId>>;
  /** Keeps a pod out of the queue, until it is changed or the plugin activates it. */
  preEnqueue?(pod: Pod): Rejection | undefined;
  /** Once a pod: computes what filter needs, once for all nodes. */
  preFilter?(cycle: PodCycle & { nodes: readonly NodeInfo[] }): PreFilterResult | undefined;
  filter?(options: PodAndNode): Rejection | undefined;
  /** Called when no node fits. */
  postFilter?(
    cycle: PodCycle & { rejections: ReadonlyMap<string, Rejection>; absent: Rejection | undefined },
  ): PostFilterResult | undefined;
  /**
   * Answers false when this plugin's score has nothing to say about the pod. `nodes` are those that fit and will be
   * scored; pods are counted over `allNodes`, since those on a full node are in its zone too.
   */
  preScore?(cycle: PodCycle & { nodes: readonly NodeInfo[]; allNodes: readonly NodeInfo[] }): boolean;
  /** Higher is better; between 0 and 100, at the latest after normalizeScores. */
  score?(options: PodAndNode): number;
  normalizeScores?(cycle: PodCycle & { nodes: readonly NodeInfo[]; scores: number[] }): number[];
  reserve?(options: PodOnNode): Rejection | undefined;
  /** Undoes reserve; must bear being called without it, and twice. */
  unreserve?(options: PodOnNode): void;
  /** Lets pass, rejects, or has the binding wait for a promise that rejects with RejectedError to refuse. */
  permit?(options: PodOnNode): Rejection | Promise<void> | undefined;
  /** Whether preBind has something to do, for which the pod may have to wait. */
  preBindPreFlight?(options: PodOnNode): boolean;
  /** What must be done before the pod is bound, such as binding its volumes. A rejection retries the pod. */
  preBind?(options: PodOnNode & { signal: AbortSignal }): Promise<void>;
  /** Answers true when it has bound the pod; the first one does. */
  bind?(options: PodOnNode & { signal: AbortSignal }): Promise<boolean>;
  postBind?(options: PodOnNode): void;
}

/** The rejection most plugins answer. */
export const unschedulable = (...reasons: string[]): Rejection => ({ code: 'Unschedulable', reasons });

/** A rejection that removing other pods can't help. */
export const unresolvable = (...reasons: string[]): Rejection => ({
  code: 'UnschedulableAndUnresolvable',
  reasons,
});
