import { CORE_FIELDS } from './core-fields.ts';
import { GROUPS_FIELDS } from './groups-fields.ts';
import { META_FIELDS } from './meta-fields.ts';

/** One field of a message. */
export interface MessageField {
  number: number;
  name: string;
  /** The fields of this message stand in the JSON of the one that holds it (Volume and VolumeSource). */
  inlined: boolean;
  /** Zero and absent differ (a Go pointer, or a field whose zero Go's JSON tells): zero is kept. What a schema requires needs no mark. */
  keepsZero: boolean;
}

const ALL = { ...CORE_FIELDS, ...GROUPS_FIELDS, ...META_FIELDS };
const parsed = new Map<string, Map<number, MessageField>>();

/** The table row of a definition's message: "io.k8s.api.core.v1.Pod" → "core.v1.Pod". */
export const rowOf = (definition: string): string =>
  definition.replace(/^io\.k8s\.(api|(apimachinery|apiextensions-apiserver)\.pkg\.apis)\./, '');

/**
 * The fields of a message by number. Tables name them in the order of their numbers: `-` is a number not in use, `*` ends the name
 * of what is told even when it is zero or empty, `+` begins the name of an inlined message.
 */
export function fieldsOf(message: string): Map<number, MessageField> | undefined {
  const known = parsed.get(message);
  const row = ALL[message];
  if (known !== undefined || row === undefined) return known;
  const fields = new Map(
    row.split(' ').flatMap((word, index) => (word === '-' ? [] : [parseField(word, index + 1)])),
  );
  parsed.set(message, fields);
  return fields;
}

function parseField(word: string, number: number): [number, MessageField] {
  const inlined = word.startsWith('+');
  const keepsZero = word.endsWith('*');
  return [number, { number, name: word.replaceAll(/[+*]/g, ''), inlined, keepsZero }];
}

const keptByMessage = new Map<string, Set<string> | undefined>();

/** The fields of a definition, beside what it requires, that Go's JSON tells even when they are zero or empty; nothing for a message that is not in the tables. */
export function keptZeros(definition: string): Set<string> | undefined {
  const row = rowOf(definition);
  if (!keptByMessage.has(row)) keptByMessage.set(row, keptOf(row));
  return keptByMessage.get(row);
}

function keptOf(row: string): Set<string> | undefined {
  const fields = fieldsOf(row);
  if (fields === undefined) return undefined;
  const names = [...fields.values()].flatMap(({ name, inlined, keepsZero }) =>
    inlined ? [...(keptOf(inlinedRow(row, name)) ?? [])] : keepsZero ? [name] : [],
  );
  return new Set(names);
}

/** The row of a message that stands inlined in the one of another row. */
export const inlinedRow = (row: string, name: string): string =>
  `${row.slice(0, row.lastIndexOf('.'))}.${name}`;
