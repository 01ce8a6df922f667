import type { StructuralSchema } from '../structural-schema.ts';

/** A path from a schema to one of its fields, and the schema of what it names. */
export interface FieldPath {
  steps: string[];
  schema: StructuralSchema;
}

/**
 * Reads a path such as `.spec.ports['http']` that leads from a schema to a field. Throws Error for a path that leads nowhere
 * (upstream: pkg/apiserver/schema/cel ValidFieldPath).
 */
export function readFieldPath(
  text: string,
  schema: StructuralSchema,
  { arrayNotation = true }: { arrayNotation?: boolean } = {},
): FieldPath {
  if (text === '') throw new Error('path is empty');
  const steps: string[] = [];
  let place = schema;
  let rest = text;
  while (rest !== '') {
    const { step, isKey, length } = readStep(rest, arrayNotation);
    place = isKey ? keySchema(place, step) : propertySchema(place, step);
    steps.push(step);
    rest = rest.slice(length);
  }
  return { steps, schema: place };
}

function readStep(rest: string, arrayNotation: boolean): { step: string; isKey: boolean; length: number } {
  const key = /^\['((?:[^'\\]|\\.)*)'\]/.exec(rest);
  if (key !== null) {
    if (!arrayNotation) throw new Error(`expected [ to be in the end, array notation is not allowed`);
    return { step: (key[1] ?? '').replaceAll(/\\(.)/g, '$1'), isKey: true, length: key[0].length };
  }
  const name = /^\.([^.[\]]+)/.exec(rest);
  if (name === null) throw new Error(`unexpected path: ${rest}`);
  return { step: name[1] ?? '', isKey: false, length: name[0].length };
}

function propertySchema({ properties = {} }: StructuralSchema, name: string): StructuralSchema {
  const found = Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (found === undefined) throw new Error('does not refer to a valid field');
  return found;
}

/** The key of a map, or a property whose name cannot stand after a dot. */
function keySchema(schema: StructuralSchema, name: string): StructuralSchema {
  if (typeof schema.additionalProperties === 'object') return schema.additionalProperties;
  return propertySchema(schema, name);
}
