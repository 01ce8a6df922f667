import type { TopologySelectorTerm } from '../types.ts';

/**
 * Whether a node with these labels is where a storage class allows its volumes to be: no terms allow every node,
 * terms are alternatives, all requirements of a term must hold, and a term without any matches nothing.
 */
export const matchesTopologySelectorTerms = (
  terms: readonly TopologySelectorTerm[] | undefined,
  nodeLabels: Readonly<Record<string, string>>,
): boolean =>
  (terms ?? []).length === 0 ||
  (terms ?? []).some(
    ({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.length > 0 &&
      matchLabelExpressions.every(({ key, values }) => {
        const value = nodeLabels[key];
        return value !== undefined && values.includes(value);
      }),
  );
