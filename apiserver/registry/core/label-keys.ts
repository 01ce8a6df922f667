import type { LabelSelector, Pod, PodAffinity } from '../../../api/types.ts';

/**
 * Adds to the selectors of a new Pod's affinity and spread constraints what their matchLabelKeys and mismatchLabelKeys say of the Pod's
 * own labels: `key in (value)`, `key notin (value)`. Of affinity the scheduler reads the selectors alone. Changes the Pod (upstream: pod
 * strategy mutatePodAffinity and mutateTopologySpreadConstraints; KEP-3633, KEP-3243).
 */
export function mergeLabelKeys({ metadata, spec }: Pod): void {
  const { affinity, topologySpreadConstraints = [] } = spec ?? {};
  const terms = [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap(termsOf);
  for (const selecting of [...terms, ...topologySpreadConstraints])
    mergeInto(selecting, metadata?.labels ?? {});
}

interface Selecting {
  labelSelector?: LabelSelector;
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
}

const termsOf = (affinity: PodAffinity | undefined): Selecting[] => [
  ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(
    ({ podAffinityTerm }) => podAffinityTerm ?? [],
  ),
  ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
];

/** Without a selector none is made: it matches nothing, and validation refuses the keys. */
function mergeInto(
  { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: Selecting,
  labels: Readonly<Record<string, string>>,
): void {
  if (labelSelector === undefined) return;
  const requirements = (keys: string[], operator: 'In' | 'NotIn') =>
    keys.flatMap((key) => {
      const value = labels[key];
      return value === undefined ? [] : [{ key, operator, values: [value] }];
    });
  const added = [...requirements(matchLabelKeys, 'In'), ...requirements(mismatchLabelKeys, 'NotIn')];
  if (added.length > 0)
    labelSelector.matchExpressions = [...(labelSelector.matchExpressions ?? []), ...added];
}
