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
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods':
    'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
};

/** Why a label of nodes is not to be used any more; undefined for others. */
export const deprecationOf = (key: string): string | undefined =>
  Object.hasOwn(DEPRECATED_LABELS, key) ? DEPRECATED_LABELS[key] : undefined;

/** A warning for each key of a node selector's expressions that is a deprecated label. */
export function warnOfDeprecatedKeys(expressions: { key: string }[] | undefined, path: string): string[] {
  return (expressions ?? []).flatMap(({ key }, index) => warnOfDeprecatedKey(key, `${path}[${index}].key`));
}

/** A warning where a key is a deprecated label. */
export function warnOfDeprecatedKey(key: string, path: string): string[] {
  const words = deprecationOf(key);
  return words === undefined ? [] : [`${path}: ${key} is ${words}`];
}
