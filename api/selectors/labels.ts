import type { LabelSelector } from '../types.ts';
import { parseRequirements } from './parse-labels.ts';
import { requirement, requirementText, satisfies } from './requirement.ts';
import type { Operator, Requirement } from './requirement.ts';

/** A set of requirements that must all hold. */
export interface LabelSelectorMatcher {
  requirements: Requirement[];
  matches(labels: Readonly<Record<string, string>> | undefined): boolean;
  /** The canonical text: `app=web,tier in (back,front),!old`. */
  toString(): string;
}

/** Reads a selector such as `app=web,tier in (front,back),!old`. Throws an Error with upstream's words. */
export function parseLabelSelector(text: string): LabelSelectorMatcher {
  return matcherOf(parseRequirements(text));
}

/**
 * The selector of an object's `selector` field: nothing matches an absent one, everything an empty one.
 * Throws an Error with upstream's words (apimachinery pkg/apis/meta/v1/helpers.go).
 */
export function labelSelectorMatcher(selector: LabelSelector | undefined): LabelSelectorMatcher {
  if (selector === undefined) return { ...matcherOf([]), matches: () => false };
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const exact = Object.entries(matchLabels).map(([key, value]) => requirement(key, '=', [value]));
  const expressions = matchExpressions.map(({ key, operator, values = [] }) =>
    requirement(key, operatorOf(operator), values),
  );
  return matcherOf([...exact, ...expressions]);
}

/** A matcher of requirements that are known to be well-formed; `gt` and `lt` serve node selectors. */
function matcherOf(requirements: Requirement[]): LabelSelectorMatcher {
  const sorted = requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return {
    requirements: sorted,
    matches: (labels = {}) => sorted.every((each) => satisfies(labels, each)),
    toString: () => sorted.map(requirementText).join(','),
  };
}

function operatorOf(operator: string): Operator {
  const operators: Record<string, Operator> = {
    In: 'in',
    NotIn: 'notin',
    Exists: 'exists',
    DoesNotExist: '!',
  };
  const found = operators[operator];
  if (found === undefined) throw new Error(`"${operator}" is not a valid label selector operator`);
  return found;
}
