import type { KubernetesObject } from '../../../api/types.ts';
import type { Column } from '../kind.ts';
import { AGE_COLUMN, NAME_COLUMN } from './rows.ts';

/** A column of text. */
export const text = <T>(name: string, description: string, cell: (object: T) => string): Column<T> => ({
  name,
  type: 'string',
  description,
  cell,
});

/** A column that only `-o wide` shows. */
export const wide = <T>(column: Column<T>): Column<T> => ({ ...column, priority: 1 });

/** The name column for a kind of its own type. */
export const nameColumn = <T extends KubernetesObject>(): Column<T> => NAME_COLUMN as unknown as Column<T>;

/** The age column for a kind of its own type. */
export const ageColumn = <T extends KubernetesObject>(): Column<T> => AGE_COLUMN as unknown as Column<T>;

/** "a=b,c=d", or "<none>". */
export function formatLabels(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? '<none>' : pairs.toSorted().join(',');
}
