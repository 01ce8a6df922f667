import type { NamespaceChoice } from './container-spec.ts';
import { bits, namespaceBits, type Plan } from './plan.ts';

export type NamespaceChoices = Partial<Record<keyof typeof namespaceBits, NamespaceChoice>>;

/** The steps that join the namespaces given by path. A pid namespace takes effect for the children only (setns(2)). */
export function planJoin(plan: Plan, choices: NamespaceChoices): void {
  for (const [type, choice] of entriesOf(choices)) {
    if (typeof choice === 'object') plan.step('join', choice.path, bits(namespaceBits[type]));
  }
}

/** The CLONE_NEW bits of the namespaces that are to be new. */
export function newNamespaceBits(choices: NamespaceChoices): number {
  return entriesOf(choices).reduce(
    (sum, [type, choice]) => (choice === 'new' ? sum | namespaceBits[type] : sum),
    0,
  );
}

const entriesOf = (choices: NamespaceChoices) =>
  Object.entries(choices) as [keyof typeof namespaceBits, NamespaceChoice][];
