import type { Schema } from '../../api/schema/schema.ts';
import type { FieldSet } from './field-set.ts';
import { hasSelf } from './field-set.ts';
import { itemsOf, partsOf, structureOf } from './structure.ts';

/** The live value with the applied one laid over it: maps and keyed lists are merged, all else is replaced. */
export function merge(live: unknown, applied: unknown, schema: Schema): unknown {
  const [before, after] = [structureOf(live, schema), structureOf(applied, schema)];
  if (before.kind === 'leaf' || after.kind === 'leaf' || before.kind !== after.kind)
    return structuredClone(applied);
  const [liveParts, appliedParts] = [partsOf(live, before), partsOf(applied, after)];
  const steps = [...new Set([...liveParts.keys(), ...appliedParts.keys()])];
  const merged = steps.map((step): [string, unknown] => {
    const [old, wanted] = [liveParts.get(step), appliedParts.get(step)];
    if (wanted === undefined) return [step, old?.value];
    return [
      step,
      old === undefined ? structuredClone(wanted.value) : merge(old.value, wanted.value, wanted.schema),
    ];
  });
  if (after.kind === 'list') return itemsOf(orderItems(merged, [...appliedParts.keys()]));
  return Object.fromEntries(merged.map(([step, value]) => [step.slice(2), value]));
}

/** Applied items stand in their order; live ones that aren't applied keep their place before or after them. */
function orderItems(items: [string, unknown][], applied: string[]): [string, unknown][] {
  const wanted = applied
    .map((step) => items.find(([other]) => other === step))
    .filter((item) => item !== undefined);
  let next = 0;
  return items.map((item) => (applied.includes(item[0]) ? (wanted[next++] ?? item) : item));
}

/**
 * The value without the fields of `set`: an item or map that belongs to it goes as a whole, and so does one that is empty without them,
 * but for who still owns it (`owned`). Of a map in which something is owned nothing else stays (structured-merge-diff merge/update.go
 * prune).
 */
export function removeFields({ value, set, owned, schema }: Removal): unknown {
  const structure = structureOf(value, schema);
  if (structure.kind === 'leaf') return value;
  const kept = [...partsOf(value, structure)].flatMap(([step, part]): [string, unknown][] => {
    const node = set[step];
    const below = owned?.[step];
    if (node === undefined) return hasSelf(set) && below === undefined ? [] : [[step, part.value]];
    if (hasSelf(node) && (below === undefined || !step.startsWith('f:'))) return [];
    const rest = removeFields({ ...part, set: node, owned: below });
    return below === undefined && isEmpty(rest) ? [] : [[step, rest]];
  });
  if (structure.kind === 'list') return itemsOf(kept);
  return Object.fromEntries(kept.map(([step, child]) => [step.slice(2), child]));
}

interface Removal {
  value: unknown;
  set: FieldSet;
  owned: FieldSet | undefined;
  schema: Schema;
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;
