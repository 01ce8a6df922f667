import type { NodeInfo } from './node-info.ts';
import type { Plugin, PodCycle } from './plugin.ts';

/** The nodes that fit, which are scored, among all there are. */
type ScoredNodes = PodCycle & { nodes: readonly NodeInfo[]; allNodes: readonly NodeInfo[] };

/** The node with the highest weighted score; among equals a random one. */
export const chooseNode = (
  plugins: readonly Plugin[],
  { nodes, ...cycle }: ScoredNodes,
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
  { nodes, allNodes, ...cycle }: ScoredNodes,
): number[] => {
  const totals = nodes.map(() => 0);
  for (const plugin of plugins) {
    if (plugin.score === undefined || plugin.preScore?.({ ...cycle, nodes, allNodes }) === false) continue;
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
