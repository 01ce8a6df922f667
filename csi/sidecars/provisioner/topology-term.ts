import type { TopologySelectorTerm } from '../../../api/types.ts';
import type { Topology } from '../../types.ts';

/** The labels of one place, such as region and zone, sorted by key: all of them together. */
export type TopologyTerm = readonly (readonly [key: string, value: string])[];

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const termOf = (labels: Readonly<Record<string, string>>): TopologyTerm =>
  Object.entries(labels).toSorted(([a], [b]) => compareText(a, b));

/** A node's place in terms of a driver's topology keys; undefined when a label is missing. */
export function termOfNode(
  labels: Readonly<Record<string, string>>,
  topologyKeys: readonly string[],
): TopologyTerm | undefined {
  const entries = topologyKeys.map((key) => [key, labels[key]] as const);
  if (entries.some(([, value]) => value === undefined)) return undefined;
  return termOf(Object.fromEntries(entries) as Record<string, string>);
}

/** Shorter terms first, then by keys and values. */
function compareTerms(a: TopologyTerm, b: TopologyTerm): number {
  if (a.length !== b.length) return a.length - b.length;
  for (const [index, [key, value]] of a.entries()) {
    const [otherKey = '', otherValue = ''] = b[index] ?? [];
    const order = compareText(key, otherKey) || compareText(value, otherValue);
    if (order !== 0) return order;
  }
  return 0;
}

/** Whether everything that `term` asks for is so in `other`. */
export const isSubset = (term: TopologyTerm, other: TopologyTerm): boolean => {
  const present = new Map(other);
  return term.every(([key, value]) => present.get(key) === value);
};

/** Sorted, and each term once. */
export const distinctTerms = (terms: readonly TopologyTerm[]): TopologyTerm[] =>
  terms
    .toSorted(compareTerms)
    .filter((term, index, all) => index === 0 || compareTerms(all[index - 1] ?? [], term) !== 0);

/**
 * A class's allowedTopologies as a list of places, any of which will do. Each of its terms is an AND of ORs, so it becomes
 * one place for each choice of values: zone in (a, b) and rack in (1, 2) are four.
 */
export function allowedTerms(allowedTopologies: readonly TopologySelectorTerm[]): TopologyTerm[] {
  return allowedTopologies.flatMap(({ matchLabelExpressions = [] }) => {
    let terms: Record<string, string>[] = [];
    for (const { key, values } of matchLabelExpressions) {
      const before = terms.length === 0 ? [{}] : terms;
      terms = values.flatMap((value) => before.map((term) => ({ ...term, [key]: value })));
    }
    return terms.map(termOf);
  });
}

export const csiTopology = (terms: readonly TopologyTerm[]): Topology[] =>
  terms.filter((term) => term.length > 0).map((term) => ({ segments: Object.fromEntries(term) }));

/** As Go prints a list of terms, which is how upstream's messages show them. */
export const printTerms = (terms: readonly TopologyTerm[]): string => `[${terms.map(printTerm).join(' ')}]`;

export const printTerm = (term: TopologyTerm): string =>
  `[${term.map(([key, value]) => `{${key} ${value}}`).join(' ')}]`;
