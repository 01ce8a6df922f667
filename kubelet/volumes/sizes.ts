import { quantityValue } from '../../api/quantity.ts';
import type { Pod } from '../../api/types.ts';

/** A quantity in bytes; undefined when there is none. */
export const bytesOf = (quantity: string | undefined): number | undefined =>
  quantity === undefined ? undefined : quantityValue(quantity);

/** The most memory that the Pod may use in all, in bytes: undefined when one container has no limit. */
export const memoryLimitOf = ({ spec }: Pod): number | undefined => {
  const ofPod = bytesOf(spec?.resources?.limits?.['memory']);
  if (ofPod !== undefined) return ofPod;
  const init = spec?.initContainers ?? [];
  const sidecars = init.filter(({ restartPolicy }) => restartPolicy === 'Always');
  const together = [...(spec?.containers ?? []), ...sidecars];
  const limits = together.map(({ resources }) => bytesOf(resources?.limits?.['memory']));
  const alone = init.map(({ resources }) => bytesOf(resources?.limits?.['memory']));
  if ([...limits, ...alone].some((limit) => limit === undefined)) return undefined;
  const sum = limits.reduce<number>((total, limit) => total + (limit ?? 0), 0);
  return Math.max(sum, ...alone.map((limit) => limit ?? 0));
};
