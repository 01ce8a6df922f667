import type { Taint, Toleration } from '../types.ts';

type TaintLike = Pick<Taint, 'key' | 'effect'> & { value?: string };

/** Whether one of the tolerations covers the taint (k8s.io/component-helpers ToleratesTaint). */
export const tolerates = (tolerations: readonly Toleration[] = [], taint: TaintLike): boolean =>
  tolerations.some((toleration) => covers(toleration, taint));

/** One toleration: an empty effect covers all effects, an empty key with Exists all keys. */
export const covers = (
  { key = '', operator = 'Equal', value = '', effect = '' }: Toleration,
  taint: TaintLike,
): boolean => {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (key === '' && operator !== 'Exists') return false;
  return operator === 'Exists' || (operator === 'Equal' && value === (taint.value ?? ''));
};

/** The first taint of these effects that isn't covered. */
export const untoleratedTaint = (
  taints: readonly Taint[] = [],
  { tolerations, effects }: { tolerations: readonly Toleration[] | undefined; effects: readonly string[] },
): Taint | undefined =>
  taints.find((taint) => effects.includes(taint.effect) && !tolerates(tolerations, taint));
