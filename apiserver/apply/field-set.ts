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

const STEP_ORDER = 'fkvi';

/** The set with the steps in the order in which upstream writes them: who compares texts, as e2e tests do, finds them equal. */
export function sorted(set: FieldSet): FieldSet {
  const steps = Object.keys(set).toSorted(compareSteps);
  return Object.fromEntries(steps.map((step) => [step, sorted(set[step] ?? {})]));
}

/** Fields by name, then items by their keys, values or indexes (structured-merge-diff fieldpath PathElement.Compare). */
function compareSteps(a: string, b: string): number {
  const byKind = STEP_ORDER.indexOf(a.slice(0, 1)) - STEP_ORDER.indexOf(b.slice(0, 1));
  if (byKind !== 0) return byKind;
  const [first, second] = [valuesOf(a), valuesOf(b)];
  const different = first.findIndex((value, index) => value !== second[index]);
  return compareValues(first[different], second[different]);
}

function valuesOf(step: string): unknown[] {
  const text = step.slice(2);
  if (!step.startsWith('k:')) return [step.startsWith('f:') ? text : (JSON.parse(text) as unknown)];
  return Object.values(JSON.parse(text) as object);
}

function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [first, second] = [a, b].map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  return (first ?? '') < (second ?? '') ? -1 : 1;
}

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
