import type { NodeSelectorRequirement, NodeSelectorTerm, VolumeNodeAffinity } from '../../types.ts';
import { invalid } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { semanticEqual } from '../semantic-equal.ts';

const betaToStable: Record<string, string> = {
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};

/** From where a volume can be reached is set once; only labels that were renamed may follow. */
export function checkAffinityStays(
  affinity: VolumeNodeAffinity | undefined,
  old: VolumeNodeAffinity | undefined,
): FieldError[] {
  if (old === undefined || semanticEqual(withNewKeys(affinity, old), affinity)) return [];
  const words = 'field is immutable, except for updating from beta label to GA';
  return [invalid('nodeAffinity', affinity === undefined ? null : asShown(affinity), words)];
}

/** The old affinity with the new names of labels where the new one has them. */
function withNewKeys(affinity: VolumeNodeAffinity | undefined, old: VolumeNodeAffinity): VolumeNodeAffinity {
  const terms = affinity?.required?.nodeSelectorTerms ?? [];
  const renamed = (old.required?.nodeSelectorTerms ?? []).map((term, index) => ({
    ...term,
    ...(term.matchExpressions !== undefined && {
      matchExpressions: rename(term.matchExpressions, terms[index]?.matchExpressions ?? []),
    }),
  }));
  return { ...old, ...(old.required !== undefined && { required: { nodeSelectorTerms: renamed } }) };
}

const rename = (
  old: NodeSelectorRequirement[],
  present: NodeSelectorRequirement[],
): NodeSelectorRequirement[] =>
  old.map((requirement, index) => {
    const key = present[index]?.key;
    return key !== undefined && betaToStable[requirement.key] === key ? { ...requirement, key } : requirement;
  });

/** With the names that an error shows. */
const asShown = ({ required }: VolumeNodeAffinity) => ({
  Required:
    required === undefined
      ? null
      : {
          NodeSelectorTerms: required.nodeSelectorTerms.map(
            ({ matchExpressions, matchFields }: NodeSelectorTerm) => ({
              MatchExpressions: matchExpressions?.map(shownRequirement) ?? null,
              MatchFields: matchFields?.map(shownRequirement) ?? null,
            }),
          ),
        },
});

const shownRequirement = ({ key, operator, values }: NodeSelectorRequirement) => ({
  Key: key,
  Operator: operator,
  Values: values ?? null,
});
