import type { Pod } from '../../api/types.ts';
import { createCycleState } from './cycle-state.ts';
import type { NodeInfo } from './node-info.ts';
import type { Plugin, PodAndNode, PodCycle, PreFilterResult, Rejection } from './plugin.ts';
import { unresolvable } from './plugin.ts';
import { pluginFailure } from './plugin-failure.ts';

/** Which nodes fit, and why the others don't. */
export interface FilterOutcome {
  feasible: NodeInfo[];
  rejections: Map<string, Rejection>;
  /** What holds for all nodes without a rejection of their own. */
  absent: Rejection | undefined;
  preFilterMessage: string | undefined;
  rejectedBy: Set<string>;
}

type Nodes = readonly NodeInfo[];
/** A node with the waiting pods that are nominated there and that a pod must yield to; itself when there are none. */
export type WithNominated = (pod: Pod, node: NodeInfo) => NodeInfo;

/**
 * Runs preFilter, then filter on each node; a node's first rejection counts. A node fits when it does both with and
 * without the pods nominated there: the pod must leave them their room, but can't rely on them (upstream's
 * RunFilterPluginsWithNominatedPods). The node nominated for the pod itself, if it fits, is the only answer.
 */
export const findFeasibleNodes = (
  plugins: readonly Plugin[],
  {
    nodes,
    withNominated = (_, node) => node,
    ...cycle
  }: PodCycle & { nodes: Nodes; withNominated?: WithNominated },
): FilterOutcome => {
  const outcome = emptyOutcome();
  const prepared = runPreFilter(plugins, { nodes, ...cycle }, outcome);
  if (prepared === undefined) return outcome;
  const nominated = cycle.pod.status?.nominatedNodeName ?? '';
  const first = nodes.filter(({ name }) => name === nominated);
  for (const node of first.length === 0 ? nodes : [...new Set([...first, ...nodes])]) {
    if (prepared.nodeNames?.has(node.name) === false) continue;
    const crowded = withNominated(cycle.pod, node);
    const rejection =
      (crowded === node ? undefined : rejectionOn(plugins, { pod: cycle.pod, node: crowded, nodes })) ??
      filterNode(prepared.filters, { ...cycle, node });
    if (rejection === undefined) {
      outcome.feasible.push(node);
      if (node.name === nominated) break;
      continue;
    }
    outcome.rejections.set(node.name, rejection);
    outcome.rejectedBy.add(rejection.plugin ?? '');
  }
  return outcome;
};

/** Why the pod wouldn't fit on this node if it were as given, with and without the pods nominated there. */
export const rejectionWithNominated = (
  plugins: readonly Plugin[],
  { withNominated, ...options }: { pod: Pod; node: NodeInfo; nodes: Nodes; withNominated: WithNominated },
): Rejection | undefined => {
  const crowded = withNominated(options.pod, options.node);
  const rejection =
    crowded === options.node ? undefined : rejectionOn(plugins, { ...options, node: crowded });
  return rejection ?? rejectionOn(plugins, options);
};

/** Runs preFilter with the node in the place of the real one, then filter on it alone. */
const rejectionOn = (
  plugins: readonly Plugin[],
  { pod, node, nodes }: { pod: Pod; node: NodeInfo; nodes: Nodes },
): Rejection | undefined => {
  const outcome = emptyOutcome();
  const cycle = { pod, state: createCycleState() };
  const changed = nodes.map((other) => (other.name === node.name ? node : other));
  const prepared = runPreFilter(plugins, { ...cycle, nodes: changed }, outcome);
  if (prepared === undefined || prepared.nodeNames?.has(node.name) === false) return outcome.absent;
  return filterNode(prepared.filters, { ...cycle, node });
};

const emptyOutcome = (): FilterOutcome => ({
  feasible: [],
  rejections: new Map(),
  absent: undefined,
  preFilterMessage: undefined,
  rejectedBy: new Set(),
});

const runPreFilter = (
  plugins: readonly Plugin[],
  cycle: PodCycle & { nodes: readonly NodeInfo[] },
  outcome: FilterOutcome,
): { filters: Plugin[]; nodeNames: ReadonlySet<string> | undefined } | undefined => {
  const filters: Plugin[] = [];
  const limiting: string[] = [];
  let nodeNames: ReadonlySet<string> | undefined;
  for (const plugin of plugins) {
    const result = preFilterOf(plugin, cycle);
    if (result?.rejection !== undefined) {
      outcome.absent = { ...result.rejection, plugin: plugin.name };
      outcome.preFilterMessage = result.rejection.reasons.join(', ');
      outcome.rejectedBy.add(plugin.name);
      return undefined;
    }
    if (plugin.filter !== undefined && result?.skip !== true) filters.push(plugin);
    if (result?.nodeNames === undefined) continue;
    limiting.push(plugin.name);
    nodeNames = nodeNames === undefined ? result.nodeNames : nodeNames.intersection(result.nodeNames);
  }
  if (limiting.length > 0) {
    for (const name of limiting) outcome.rejectedBy.add(name);
    outcome.absent = unresolvable(`node(s) didn't satisfy plugin(s) [${limiting.sort().join(' ')}]`);
  }
  return { filters, nodeNames };
};

const preFilterOf = (
  plugin: Plugin,
  cycle: PodCycle & { nodes: readonly NodeInfo[] },
): PreFilterResult | undefined => {
  try {
    return plugin.preFilter?.(cycle);
  } catch (error) {
    throw pluginFailure(`running PreFilter plugin ${JSON.stringify(plugin.name)}`, error);
  }
};

const filterNode = (plugins: readonly Plugin[], options: PodAndNode): Rejection | undefined => {
  for (const plugin of plugins) {
    const rejection = filterOf(plugin, options);
    if (rejection !== undefined) return { ...rejection, plugin: plugin.name };
  }
  return undefined;
};

const filterOf = (plugin: Plugin, options: PodAndNode): Rejection | undefined => {
  try {
    return plugin.filter?.(options);
  } catch (error) {
    throw pluginFailure(`running ${JSON.stringify(plugin.name)} filter plugin`, error);
  }
};
