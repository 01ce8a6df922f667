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

/** Runs preFilter, then filter on each node; a node's first rejection counts. */
export const findFeasibleNodes = (
  plugins: readonly Plugin[],
  { nodes, ...cycle }: PodCycle & { nodes: readonly NodeInfo[] },
): FilterOutcome => {
  const outcome: FilterOutcome = {
    feasible: [],
    rejections: new Map(),
    absent: undefined,
    preFilterMessage: undefined,
    rejectedBy: new Set(),
  };
  const prepared = runPreFilter(plugins, { nodes, ...cycle }, outcome);
  if (prepared === undefined) return outcome;
  for (const node of nodes) {
    if (prepared.nodeNames !== undefined && !prepared.nodeNames.has(node.name)) continue;
    const rejection = filterNode(prepared.filters, { ...cycle, node });
    if (rejection === undefined) {
      outcome.feasible.push(node);
      continue;
    }
    outcome.rejections.set(node.name, rejection);
    outcome.rejectedBy.add(rejection.plugin ?? '');
  }
  return outcome;
};

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

/** The node with the highest weighted score; among equals a random one. */
export const chooseNode = (
  plugins: readonly Plugin[],
  { nodes, ...cycle }: PodCycle & { nodes: readonly NodeInfo[] },
  random: () => number = Math.random,
): NodeInfo | undefined => {
  if (nodes.length <= 1) return nodes[0];
  const totals = scoreNodes(plugins, { nodes, ...cycle });
  const best = Math.max(...totals);
  const equals = nodes.filter((_, index) => totals[index] === best);
  return equals[Math.floor(random() * equals.length)];
};

/** The weighted sum of all plugins' scores, one for each node. */
export const scoreNodes = (
  plugins: readonly Plugin[],
  { nodes, ...cycle }: PodCycle & { nodes: readonly NodeInfo[] },
): number[] => {
  const totals = nodes.map(() => 0);
  for (const plugin of plugins) {
    if (plugin.score === undefined || plugin.preScore?.({ ...cycle, nodes }) === false) continue;
    const raw = nodes.map((node) => plugin.score?.({ ...cycle, node }) ?? 0);
    const scores = plugin.normalizeScores?.({ ...cycle, nodes, scores: raw }) ?? raw;
    scores.forEach((score, index) => (totals[index] = (totals[index] ?? 0) + score * (plugin.weight ?? 1)));
  }
  return totals;
};

/** Stretches scores so that the highest is 100; `reverse` turns them round (upstream's DefaultNormalizeScore). */
export const normalizeToMaximum = (scores: number[], { reverse = false } = {}): number[] => {
  const highest = Math.max(0, ...scores);
  if (highest === 0) return scores.map(() => (reverse ? 100 : 0));
  return scores.map((score) => {
    const stretched = Math.floor((100 * score) / highest);
    return reverse ? 100 - stretched : stretched;
  });
};
