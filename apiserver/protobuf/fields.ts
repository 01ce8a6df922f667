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
 * of a scalar whose zero is a value, `+` begins the name of an inlined message.
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
