import { messageOf } from '../errors.ts';
import type { Runtime } from '../runtime.ts';

/**
 * What `measure` gives for each of several containers or sandboxes. One that cannot be measured is logged and left out: it must not
 * take the others' stats along, by which the kubelet evicts.
 */
export async function measureEach<Item extends { id: string }, Stats>(
  { log }: Pick<Runtime, 'log'>,
  items: Item[],
  measure: (item: Item) => Promise<Stats>,
): Promise<Stats[]> {
  const measured = await Promise.all(
    items.map(async (item) => {
      try {
        return [await measure(item)];
      } catch (error) {
        log.warn({ id: item.id, error: messageOf(error) }, 'stats not measured');
        return [];
      }
    }),
  );
  return measured.flat();
}
