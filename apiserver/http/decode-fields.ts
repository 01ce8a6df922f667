import { canonicalQuantity } from '../../api/quantity.ts';
import type { Schema } from '../../api/schema/schema.ts';
import { referencedName } from '../../api/schema/schema.ts';

/** What reading an object against its schema found. */
export interface FieldFindings {
  /** Paths of fields that the type doesn't have, `spec.containers[0].foo`: dropped, and refused by strict validation. */
  unknown: string[];
  /** The first value of a wrong type, in the words of Go's decoder; always refused. */
  wrongType: string | undefined;
}

interface Place {
  /** "spec.containers[0].image" */
  path: string;
  /** The definition that the field belongs to, e.g. Container. */
  struct: string;
}

export type Definitions = Record<string, Schema>;

class WrongType extends Error {}

/**
 * Brings a decoded body into the shape that its definition allows, as decoding into Go structs does: unknown fields and
 * nulls are dropped, numbers given for quantities become strings, and other types are refused.
 */
export function decodeFields(options: { value: unknown; definition: string; definitions: Definitions }): {
  value: unknown;
  findings: FieldFindings;
} {
  const reader = { definitions: options.definitions, unknown: [] as string[] };
  try {
    const place = { path: '', struct: shortName(options.definition) };
    const value = readValue(reader, options.value, { $ref: options.definition }, place);
    return { value, findings: { unknown: reader.unknown, wrongType: undefined } };
  } catch (error) {
    if (!(error instanceof WrongType)) throw error;
    return { value: undefined, findings: { unknown: reader.unknown, wrongType: error.message } };
  }
}

interface Reader {
  definitions: Definitions;
  unknown: string[];
}

const shortName = (definition: string): string => definition.slice(definition.lastIndexOf('.') + 1);

function readValue(reader: Reader, value: unknown, schema: Schema, place: Place): unknown {
  if (schema.$ref !== undefined) return readReference(reader, value, schema.$ref, place);
  if (schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true)
    return readIntOrString(value, place);
  switch (schema.type) {
    case 'object':
      return readObject(reader, value, schema, place);
    case 'array':
      return readArray(reader, value, schema, place);
    case 'string':
      return readString(value, schema, place);
    case 'integer':
    case 'number':
      return readNumber(value, schema, place);
    case 'boolean':
      return typeof value === 'boolean' ? value : refuse(value, place, 'bool');
    case undefined:
      break;
  }
  return value;
}

function readReference(reader: Reader, value: unknown, reference: string, place: Place): unknown {
  const name = referencedName(reference);
  const schema = reader.definitions[name];
  if (schema === undefined) return value;
  const short = shortName(name);
  if (short === 'Quantity') return readQuantity(value, place);
  if (short === 'Time' || short === 'MicroTime') return readTime(value, place);
  if (short === 'IntOrString') return readIntOrString(value, place);
  const inner = SCHEMA_UNIONS[short];
  if (inner !== undefined) return readSchemaUnion(reader, value, { name, inner }, place);
  if (schema.properties === undefined) return value;
  return readObject(reader, value, schema, { path: place.path, struct: short });
}

/** Fields of a schema that are a schema or something else (apiextensions.k8s.io JSONSchemaPropsOrBool …), and what else. */
const SCHEMA_UNIONS: Record<string, 'bool' | 'array' | 'strings'> = {
  JSONSchemaPropsOrBool: 'bool',
  JSONSchemaPropsOrArray: 'array',
  JSONSchemaPropsOrStringArray: 'strings',
};

function readSchemaUnion(
  reader: Reader,
  value: unknown,
  { name, inner }: { name: string; inner: 'bool' | 'array' | 'strings' },
  place: Place,
): unknown {
  const schema = { $ref: name.slice(0, name.indexOf('Or', name.lastIndexOf('.'))) };
  if (isMap(value)) return readValue(reader, value, schema, place);
  if (inner === 'bool' && typeof value === 'boolean') return value;
  if (inner === 'strings' && Array.isArray(value)) return value;
  if (inner === 'array' && Array.isArray(value)) return readArray(reader, value, { items: schema }, place);
  return refuse(value, place, `apiextensions.${shortName(name)}`);
}

function readObject(reader: Reader, value: unknown, schema: Schema, place: Place): unknown {
  if (!isMap(value)) return refuse(value, place, goType(schema, place));
  if (schema.properties === undefined) return readMap(reader, value, schema, place);
  const result: Record<string, unknown> = {};
  for (const [field, content] of Object.entries(value)) {
    const path = place.path === '' ? field : `${place.path}.${field}`;
    const property = Object.hasOwn(schema.properties, field) ? schema.properties[field] : undefined;
    if (property === undefined) {
      if (schema['x-kubernetes-preserve-unknown-fields'] === true) result[field] = content;
      else reader.unknown.push(path);
    } else if (content !== null) {
      result[field] = readValue(reader, content, property, { path, struct: place.struct });
    }
  }
  return result;
}

function readMap(reader: Reader, value: Record<string, unknown>, schema: Schema, place: Place): unknown {
  const element = schema.additionalProperties;
  if (typeof element !== 'object') return value;
  const entries = Object.entries(value).map(([key, content]) => [
    key,
    content === null
      ? zeroOf(element)
      : readValue(reader, content, element, { ...place, path: `${place.path}.${key}` }),
  ]);
  return Object.fromEntries(entries) as unknown;
}

/** What Go's decoder makes of a null inside a map or list. */
const zeroOf = (schema: Schema): unknown =>
  schema.$ref?.endsWith('.JSON') === true
    ? null
    : schema.type === 'string'
      ? ''
      : schema.type === 'boolean'
        ? false
        : schema.type === 'array'
          ? []
          : schema.type === 'integer'
            ? 0
            : {};

function readArray(reader: Reader, value: unknown, schema: Schema, place: Place): unknown {
  if (!Array.isArray(value)) return refuse(value, place, goType(schema, place));
  const items = schema.items ?? {};
  return value.map((item, index) =>
    item === null
      ? zeroOf(items)
      : readValue(reader, item, items, { ...place, path: `${place.path}[${index}]` }),
  );
}

function readString(value: unknown, schema: Schema, place: Place): unknown {
  if (typeof value !== 'string') return refuse(value, place, 'string');
  if (schema.format === 'byte') checkBase64(value);
  return value;
}

function checkBase64(value: string): void {
  const bare = value.replaceAll(/[\r\n]/g, '');
  const bad = /[^A-Za-z0-9+/=]/.exec(bare)?.index ?? (bare.length % 4 === 0 ? undefined : bare.length);
  if (bad !== undefined) throw new WrongType(`illegal base64 data at input byte ${bad}`);
}

function readNumber(value: unknown, schema: Schema, place: Place): unknown {
  const type = schema.format ?? (schema.type === 'integer' ? 'int64' : 'float64');
  if (typeof value !== 'number') return refuse(value, place, type);
  if (schema.type === 'integer' && !fits(value, type)) return refuse(value, place, type, `number ${value}`);
  return value;
}

/** The greatest int64 is read as the number after it. */
const fits = (value: number, type: string): boolean =>
  Number.isInteger(value) &&
  (type === 'int32' ? Math.abs(value + 0.5) < 2 ** 31 : Math.abs(value) <= 2 ** 63);

function readIntOrString(value: unknown, place: Place): unknown {
  if (typeof value === 'string' || (typeof value === 'number' && fits(value, 'int32'))) return value;
  return refuse(value, place, 'intstr.IntOrString');
}

/** An amount in canonical form, as reading it into upstream's Quantity and writing it makes it (`0.5` is `500m`). */
function readQuantity(value: unknown, place: Place): unknown {
  if (typeof value !== 'string' && typeof value !== 'number')
    return refuse(value, place, 'resource.Quantity');
  try {
    return canonicalQuantity(value);
  } catch (error) {
    throw new WrongType((error as Error).message);
  }
}

function readTime(value: unknown, place: Place): unknown {
  if (typeof value !== 'string') return refuse(value, place, 'time.Time');
  if (
    /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  ) {
    return value;
  }
  throw new WrongType(
    `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`,
  );
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The words of encoding/json's UnmarshalTypeError: paths have no indexes. */
function refuse(value: unknown, place: Place, type: string, given = jsonType(value)): never {
  const path = place.path.replaceAll(/\[\d+\]/g, '');
  const field = path === '' ? 'Go value' : `Go struct field ${place.struct}.${path}`;
  throw new WrongType(`json: cannot unmarshal ${given} into ${field} of type ${type}`);
}

/** The sort of a JSON value as Go's decoder names it. */
export function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function goType(schema: Schema, place: Place): string {
  if (schema.type === 'array') return `[]${goType(schema.items ?? {}, place)}`;
  if (typeof schema.additionalProperties === 'object')
    return `map[string]${goType(schema.additionalProperties, place)}`;
  if (schema.$ref !== undefined) return `v1.${shortName(schema.$ref)}`;
  if (schema.type === 'boolean') return 'bool';
  if (schema.type === 'integer') return schema.format ?? 'int64';
  if (schema.type === 'object') return `v1.${place.struct}`;
  return schema.type ?? 'interface {}';
}
