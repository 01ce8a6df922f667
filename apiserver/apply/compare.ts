import { isDeepStrictEqual } from 'node:util';
import type { Schema } from '../../api/schema/schema.ts';
import type { FieldSet } from './field-set.ts';
import { partsOf, structureOf } from './structure.ts';

/** All fields of a value, as the set that an applier of it owns. */
export function fieldsOf(value: unknown, schema: Schema): FieldSet {
  const structure = structureOf(value, schema);
  const parts = [...partsOf(value, structure)];
  const children = parts.map(([step, part]): [string, FieldSet] => {
    const below = fieldsOf(part.value, part.schema);
    const isItem = structure.kind === 'list' && Object.keys(below).length > 0;
    return [step, isItem ? { '.': {}, ...below } : below];
  });
  return Object.fromEntries(children);
}

/** What differs between two states of an object. */
export interface Comparison {
  /** Fields of the new state that are new or have another value. */
  changed: FieldSet | undefined;
  /** Fields of the old state that are gone. */
  removed: FieldSet | undefined;
}

const SAME: Comparison = { changed: undefined, removed: undefined };

/** Compares field by field, list items by their keys. */
export function compare(old: unknown, current: unknown, schema: Schema): Comparison {
  if (isDeepStrictEqual(old, current)) return SAME;
  const [before, after] = [structureOf(old, schema), structureOf(current, schema)];
  if (before.kind === 'leaf' || after.kind === 'leaf' || before.kind !== after.kind)
    return { ...SAME, changed: {} };
  const [oldParts, newParts] = [partsOf(old, before), partsOf(current, after)];
  const changed: FieldSet = {};
  const removed: FieldSet = {};
  for (const [step, part] of newParts) {
    const previous = oldParts.get(step);
    const below =
      previous === undefined ? added(part, step) : compare(previous.value, part.value, part.schema);
    if (below.changed !== undefined) changed[step] = below.changed;
    if (below.removed !== undefined) removed[step] = below.removed;
  }
  for (const [step, part] of oldParts) {
    if (!newParts.has(step)) removed[step] = added(part, step).changed ?? {};
  }
  return { changed: emptyToNone(changed), removed: emptyToNone(removed) };
}

function added({ value, schema }: { value: unknown; schema: Schema }, step: string): Comparison {
  const below = fieldsOf(value, schema);
  const isItem = !step.startsWith('f:') && Object.keys(below).length > 0;
  return { changed: isItem ? { '.': {}, ...below } : below, removed: undefined };
}

const emptyToNone = (set: FieldSet): FieldSet | undefined =>
  Object.keys(set).length === 0 ? undefined : set;
