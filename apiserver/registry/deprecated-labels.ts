/** Labels of nodes that have newer names (upstream: pkg/api/node deprecatedNodeLabels). */
const DEPRECATED_LABELS: Record<string, string> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region':
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone':
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type':
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** Why a label of nodes is not to be used any more; undefined for others. */
export const deprecationOf = (key: string): string | undefined => DEPRECATED_LABELS[key];

/** A warning for each key of a node selector's expressions that is a deprecated label. */
export function warnOfDeprecatedKeys(expressions: { key: string }[] | undefined, path: string): string[] {
  return (expressions ?? []).flatMap(({ key }, index) => {
    const words = deprecationOf(key);
    return words === undefined ? [] : [`${path}[${index}].key: ${key} is ${words}`];
  });
}
