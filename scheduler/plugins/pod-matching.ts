import type { Namespace, Pod, PodAffinityTerm } from '../../api/types.ts';
import { labelSelectorMatcher } from '../../api/selectors/labels.ts';
import type { Lister } from '../../client/store.ts';

/** A pod affinity term of one pod, ready to be asked about other pods. */
export interface TermMatcher {
  topologyKey: string;
  matches(pod: Pod): boolean;
}

/**
 * Reads a term of `owner`: it means the owner's namespace unless it names namespaces or selects them;
 * an absent labelSelector matches no pod.
 */
export const termMatcher = (
  term: PodAffinityTerm,
  { owner, namespaces }: { owner: Pod; namespaces: Lister<Namespace> },
): TermMatcher => {
  const labels = labelSelectorMatcher(term.labelSelector);
  const named = new Set(term.namespaces ?? []);
  const { namespaceSelector } = term;
  if (named.size === 0 && namespaceSelector === undefined) named.add(owner.metadata?.namespace ?? '');
  const selected = namespaceSelector === undefined ? undefined : labelSelectorMatcher(namespaceSelector);
  const includesNamespace = (name: string) =>
    named.has(name) || (selected?.matches(namespaces.getByKey(name)?.metadata?.labels ?? {}) ?? false);
  return {
    topologyKey: term.topologyKey,
    matches: ({ metadata }) =>
      labels.matches(metadata?.labels ?? {}) && includesNamespace(metadata?.namespace ?? ''),
  };
};
