import { isDeepStrictEqual } from 'node:util';
import type { Schema } from '../../api/schema/schema.ts';
import type { FieldSet } from './field-set.ts';
import type { Structure } from './structure.ts';
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
  for (const step of new Set([...newParts.keys(), ...oldParts.keys()])) {
    const below = comparePart(oldParts.get(step), newParts.get(step), isAlwaysThere(after, step));
    if (below.changed !== undefined) changed[step] = below.changed;
    if (below.removed !== undefined) removed[step] = below.removed;
  }
  return { changed: emptyToNone(changed), removed: emptyToNone(removed) };
}

interface Part {
  value: unknown;
  schema: Schema;
}

const isAlwaysThere = (structure: Structure, step: string): boolean =>
  structure.kind === 'map' && structure.isAlwaysThere(step.slice(2));

/** One of the two is there; the other may be, without being written down. */
function comparePart(old: Part | undefined, current: Part | undefined, alwaysThere: boolean): Comparison {
  const { value: present, schema } = (current ?? old) as Part;
  const absent = alwaysThere ? emptyLike(present) : undefined;
  const [before, after] = [old?.value ?? absent, current?.value ?? absent];
  if (before === undefined) return { changed: wholeOf(after, schema), removed: undefined };
  if (after === undefined) return { changed: undefined, removed: wholeOf(before, schema) };
  return compare(before, after, schema);
}

const emptyLike = (value: unknown): unknown =>
  Array.isArray(value) ? [] : typeof value === 'object' && value !== null ? {} : undefined;

/** All fields of a value that comes or goes: maps, structs and items are told beside what is in them. */
function wholeOf(value: unknown, schema: Schema): FieldSet {
  const parts = [...partsOf(value, structureOf(value, schema))];
  if (parts.length === 0) return {};
  return {
    '.': {},
    ...Object.fromEntries(parts.map(([step, part]) => [step, wholeOf(part.value, part.schema)])),
  };
}

const emptyToNone = (set: FieldSet): FieldSet | undefined =>
  Object.keys(set).length === 0 ? undefined : set;
