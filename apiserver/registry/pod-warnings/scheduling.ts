import { isLabelValue } from '../../../api/names.ts';
import type { LabelSelector, NodeSelectorTerm, PodSpec } from '../../../api/types.ts';
import { deprecationOf, warnOfDeprecatedKey, warnOfDeprecatedKeys } from '../deprecated-labels.ts';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

/** Of how nodes are chosen; `path` is that of the spec. */
export function nodeLabelWarnings(spec: PodSpec, path: string): string[] {
  const { nodeSelector, affinity, topologySpreadConstraints } = spec;
  const nodeAffinity = affinity?.nodeAffinity;
  const at = `${path}.affinity.nodeAffinity`;
  return [
    ...Object.keys(nodeSelector ?? {}).flatMap((key) => {
      const words = deprecationOf(key);
      return words === undefined ? [] : [`${path}.nodeSelector[${key}]: ${words}`];
    }),
    ...(nodeAffinity?.[REQUIRED]?.nodeSelectorTerms ?? []).flatMap(({ matchExpressions }, index) =>
      warnOfDeprecatedKeys(
        matchExpressions,
        `${at}.${REQUIRED}.nodeSelectorTerms[${index}].matchExpressions`,
      ),
    ),
    ...(nodeAffinity?.[PREFERRED] ?? []).flatMap(({ preference }, index) =>
      preferenceWarnings(preference, `${at}.${PREFERRED}[${index}].preference`),
    ),
    ...(topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, index) => {
      const constraint = `${path}.topologySpreadConstraints[${index}]`;
      return [
        ...warnOfDeprecatedKey(topologyKey, `${constraint}.topologyKey`),
        ...warnOfNoSelector(labelSelector, constraint),
      ];
    }),
  ];
}

/** A preference may ask for values that no label has; a requirement may not. */
function preferenceWarnings({ matchExpressions }: NodeSelectorTerm, path: string): string[] {
  return (matchExpressions ?? []).flatMap(({ key, values }, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    return [
      ...warnOfDeprecatedKey(key, `${at}.key`),
      ...(values ?? []).flatMap((value, position) =>
        isLabelValue(value).map((wrong) => `${at}.values[${position}]: ${value} is invalid, ${wrong}`),
      ),
    ];
  });
}

/** Of Pods to be near to or far from; `path` is that of the affinity. */
export function podAffinityWarnings({ affinity }: PodSpec, path: string): string[] {
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((type) => [
    ...(affinity?.[type]?.[REQUIRED] ?? []).flatMap(({ labelSelector }, index) =>
      warnOfNoSelector(labelSelector, `${path}.${type}.${REQUIRED}[${index}]`),
    ),
    ...(affinity?.[type]?.[PREFERRED] ?? []).flatMap(({ podAffinityTerm }, index) =>
      warnOfNoSelector(
        podAffinityTerm.labelSelector,
        `${path}.${type}.${PREFERRED}[${index}].podAffinityTerm`,
      ),
    ),
  ]);
}

const warnOfNoSelector = (selector: LabelSelector | undefined, path: string): string[] =>
  selector === undefined ? [`${path}.labelSelector: a null labelSelector results in matching no pod`] : [];
