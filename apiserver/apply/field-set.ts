/**
 * A set of fields as the tree that managedFields stores (meta.k8s.io FieldsV1): `f:name`, `k:{"name":"web"}` and `v:"value"` lead down,
 * an empty node or `.` says that the field itself belongs to the set.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export interface FieldSet {
  [step: string]: FieldSet;
}

const SELF = '.';

/** True when the field at this node is in the set (not only fields below it). */
export const hasSelf = (node: FieldSet): boolean => SELF in node || Object.keys(node).length === 0;

/** The steps that lead down from a node. */
const stepsOf = (node: FieldSet): string[] => Object.keys(node).filter((step) => step !== SELF);

/** A node from its parts; undefined when it would hold nothing. */
function nodeOf(self: boolean, children: FieldSet): FieldSet | undefined {
  if (Object.keys(children).length === 0) return self ? {} : undefined;
  return self ? { [SELF]: {}, ...children } : children;
}

type Combine = (a: FieldSet | undefined, b: FieldSet | undefined) => FieldSet | undefined;

function combineChildren(a: FieldSet | undefined, b: FieldSet | undefined, combine: Combine): FieldSet {
  const children: FieldSet = {};
  for (const step of new Set([...stepsOf(a ?? { [SELF]: {} }), ...stepsOf(b ?? { [SELF]: {} })])) {
    const child = combine(a?.[step], b?.[step]);
    if (child !== undefined) children[step] = child;
  }
  return children;
}

/** Fields that are in either set. */
export const union: Combine = (a, b) => {
  if (a === undefined || b === undefined) return a ?? b;
  return nodeOf(hasSelf(a) || hasSelf(b), combineChildren(a, b, union));
};

/** Fields of the first set that are not in the second. */
export const difference: Combine = (a, b) => {
  if (a === undefined || b === undefined) return a;
  return nodeOf(hasSelf(a) && !hasSelf(b), combineChildren(a, b, difference));
};

/** Fields that are in both. */
export const intersection: Combine = (a, b) => {
  if (a === undefined || b === undefined) return undefined;
  return nodeOf(hasSelf(a) && hasSelf(b), combineChildren(a, b, intersection));
};

/** The fields as paths for messages: `.spec.containers[name="web"].image`. */
export function pathsOf(set: FieldSet | undefined, prefix = ''): string[] {
  if (set === undefined) return [];
  const own = hasSelf(set) && prefix !== '' ? [prefix] : [];
  const below = stepsOf(set).flatMap((step) => pathsOf(set[step], prefix + stepText(step)));
  return [...own, ...below];
}

/** A step as messages write it: `.name`, `[name="web"]`. */
export function stepText(step: string): string {
  const [kind, rest] = [step.slice(0, 2), step.slice(2)];
  if (kind === 'f:') return `.${rest}`;
  if (kind !== 'k:') return `[${kind === 'v:' ? '=' : ''}${rest}]`;
  const keys = Object.entries(JSON.parse(rest) as Record<string, unknown>);
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}
