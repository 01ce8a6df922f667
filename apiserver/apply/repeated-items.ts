import type { Schema } from '../../api/schema/schema.ts';
import { stepText } from './field-set.ts';
import { partsOf, structureOf } from './structure.ts';

/** Tells of each list item whose keys another one before it has. */
export function repeatedItems(value: unknown, schema: Schema, path = ''): string[] {
  const structure = structureOf(value, schema);
  const steps = structure.kind === 'list' ? (value as unknown[]).map((item) => structure.stepOf(item)) : [];
  const seen = new Set<string>();
  const repeated = steps.filter((step) => seen.size === seen.add(step).size);
  return [
    ...repeated.map((step) => `${path}: duplicate entries for key ${stepText(step)}`),
    ...[...partsOf(value, structure)].flatMap(([step, part]) =>
      repeatedItems(part.value, part.schema, path + stepText(step)),
    ),
  ];
}
