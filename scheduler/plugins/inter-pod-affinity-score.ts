import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../../api/types.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { TermMatcher } from './pod-matching.ts';

/** Upstream's default weight of a required affinity of pods already there towards the new one. */
const hardAffinityWeight = 1;

type Matcher = (owner: Pod) => (term: PodAffinityTerm) => TermMatcher;

/**
 * The sum of the weights by `topologyKey\0value`: of the preferred terms of the new pod that match pods there,
 * and of the terms of pods there that match the new one.
 */
export const topologyScores = ({
  pod,
  nodes,
  matcher,
}: {
  pod: Pod;
  nodes: readonly NodeInfo[];
  matcher: Matcher;
}): Map<string, number> => {
  const scores = new Map<string, number>();
  const own = weightedTerms(pod, matcher);
  for (const node of nodes) {
    const add = ({ topologyKey }: TermMatcher, weight: number) => {
      const value = node.labels[topologyKey];
      if (value === undefined) return;
      const pair = `${topologyKey}\u0000${value}`;
      scores.set(pair, (scores.get(pair) ?? 0) + weight);
    };
    for (const { pod: existing, hasAffinity } of node.pods.values()) {
      for (const { term, weight } of own) if (term.matches(existing)) add(term, weight);
      if (!hasAffinity) continue;
      const theirs = [...weightedTerms(existing, matcher), ...requiredTerms(existing, matcher)];
      for (const { term, weight } of theirs) if (term.matches(pod)) add(term, weight);
    }
  }
  return scores;
};

const weightedTerms = (owner: Pod, matcher: Matcher) => {
  const { podAffinity, podAntiAffinity } = owner.spec?.affinity ?? {};
  const read = (terms: WeightedPodAffinityTerm[] = [], sign: number) =>
    terms.map(({ podAffinityTerm, weight }) => ({
      term: matcher(owner)(podAffinityTerm),
      weight: sign * weight,
    }));
  return [
    ...read(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1),
    ...read(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1),
  ];
};

const requiredTerms = (owner: Pod, matcher: Matcher) =>
  (owner.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({
    term: matcher(owner)(term),
    weight: hardAffinityWeight,
  }));
