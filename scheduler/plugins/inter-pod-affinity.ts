import type { Pod, PodAffinityTerm } from '../../api/types.ts';
import { namespaces } from '../../client/resources.ts';
import { stateKey } from '../framework/cycle-state.ts';
import type { PluginFactory } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { unresolvable, unschedulable } from '../framework/plugin.ts';
import { topologyScores } from './inter-pod-affinity-score.ts';
import { termMatcher } from './pod-matching.ts';
import type { TermMatcher } from './pod-matching.ts';

/** How many pods match, by topology key and value. */
type Counts = Map<string, number>;
const pairOf = (key: string, value: string) => `${key}\u0000${value}`;

interface FilterState {
  /** Domains that the required anti-affinity of pods already there forbids. */
  forbidden: Set<string>;
  affinity: TermMatcher[];
  affinityCounts: Counts[];
  antiAffinity: TermMatcher[];
  antiAffinityCounts: Counts[];
}

const filterKey = stateKey<FilterState>('InterPodAffinity/filter');
const scoreKey = stateKey<Map<string, number>>('InterPodAffinity/score');

/** Pods near to, or away from, other pods: within the same value of a node label, the topology key. */
export const interPodAffinity: PluginFactory = ({ informers }) => {
  const namespaceLister = informers.informer(namespaces).lister;
  const matcher = (owner: Pod) => (term: PodAffinityTerm) =>
    termMatcher(term, { owner, namespaces: namespaceLister });

  return {
    name: 'InterPodAffinity',
    weight: 2,
    hints: [
      { resource: 'AssignedPod', actions: ['Add', 'Delete', 'UpdateLabel'] },
      { resource: 'Node', actions: ['Add', 'UpdateLabel'] },
    ],
    preFilter({ pod, state, nodes }) {
      const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
      const required = (terms: PodAffinityTerm[] = []) => terms.map(matcher(pod));
      const affinity = required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
      const antiAffinity = required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
      const filterState = {
        forbidden: forbiddenDomains(pod, nodes, matcher),
        affinity,
        affinityCounts: affinity.map((term) => countDomains([term], nodes, affinity)),
        antiAffinity,
        antiAffinityCounts: antiAffinity.map((term) => countDomains([term], nodes)),
      };
      state.write(filterKey, filterState);
      return { skip: filterState.forbidden.size + affinity.length + antiAffinity.length === 0 };
    },
    filter({ pod, state, node }) {
      const filterState = state.read(filterKey);
      if (filterState === undefined) return undefined;
      if (!satisfiesAffinity(pod, filterState, node)) {
        return unresolvable("node(s) didn't match pod affinity rules");
      }
      if (violatesAntiAffinity(filterState, node)) {
        return unschedulable("node(s) didn't match pod anti-affinity rules");
      }
      if (isForbidden(filterState, node)) {
        return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");
      }
      return undefined;
    },
    preScore({ pod, state, allNodes }) {
      const scores = topologyScores({ pod, nodes: allNodes, matcher });
      state.write(scoreKey, scores);
      return scores.size > 0;
    },
    score({ state, node }) {
      const scores = state.read(scoreKey) ?? new Map<string, number>();
      return Object.entries(node.labels).reduce(
        (sum, [key, value]) => sum + (scores.get(pairOf(key, value)) ?? 0),
        0,
      );
    },
    normalizeScores({ scores }) {
      const [lowest, highest] = [Math.min(...scores), Math.max(...scores)];
      if (lowest === highest) return scores.map(() => 0);
      return scores.map((score) => Math.floor((100 * (score - lowest)) / (highest - lowest)));
    },
  };
};

const forbiddenDomains = (
  pod: Pod,
  nodes: readonly NodeInfo[],
  matcher: (owner: Pod) => (term: PodAffinityTerm) => TermMatcher,
): Set<string> => {
  const forbidden = new Set<string>();
  for (const node of nodes) {
    for (const existing of node.pods.values()) {
      for (const term of existing.requiredAntiAffinity) {
        const value = node.labels[term.topologyKey];
        if (value === undefined || !matcher(existing.pod)(term).matches(pod)) continue;
        forbidden.add(pairOf(term.topologyKey, value));
      }
    }
  }
  return forbidden;
};

/** Counts pods that match the first term; for affinity only those that match all terms (upstream's rule). */
const countDomains = (
  [term]: readonly [TermMatcher],
  nodes: readonly NodeInfo[],
  alsoMatching: readonly TermMatcher[] = [],
): Counts => {
  const counts: Counts = new Map();
  for (const node of nodes) {
    const value = node.labels[term.topologyKey];
    if (value === undefined) continue;
    for (const { pod } of node.pods.values()) {
      if (!term.matches(pod) || !alsoMatching.every((other) => other.matches(pod))) continue;
      const pair = pairOf(term.topologyKey, value);
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
  }
  return counts;
};

const satisfiesAffinity = (
  pod: Pod,
  { affinity, affinityCounts }: FilterState,
  { labels }: NodeInfo,
): boolean => {
  if (affinity.some(({ topologyKey }) => labels[topologyKey] === undefined)) return false;
  const near = affinity.every(({ topologyKey }, index) =>
    affinityCounts[index]?.has(pairOf(topologyKey, labels[topologyKey] ?? '')),
  );
  if (near) return true;
  // The first of a group of pods that want to be near each other may begin anywhere.
  const isFirst = affinityCounts.every(({ size }) => size === 0);
  return isFirst && affinity.every((term) => term.matches(pod));
};

const violatesAntiAffinity = (
  { antiAffinity, antiAffinityCounts }: FilterState,
  { labels }: NodeInfo,
): boolean =>
  antiAffinity.some(({ topologyKey }, index) => {
    const value = labels[topologyKey];
    return value !== undefined && (antiAffinityCounts[index]?.has(pairOf(topologyKey, value)) ?? false);
  });

const isForbidden = ({ forbidden }: FilterState, { labels }: NodeInfo): boolean =>
  forbidden.size > 0 && Object.entries(labels).some(([key, value]) => forbidden.has(pairOf(key, value)));
