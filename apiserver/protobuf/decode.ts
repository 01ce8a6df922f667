import { definitionNameFor } from '../../api/openapi.ts';
import type { Schema } from '../../api/schema/schema.ts';
import { referencedName } from '../../api/schema/schema.ts';
import type { MessageField } from './fields.ts';
import { fieldsOf, inlinedRow, rowOf } from './fields.ts';
import { readFields, WireError } from './wire.ts';

/** How every Kubernetes protobuf body begins; then comes a runtime.Unknown message. */
const MAGIC = Buffer.from('k8s\0');

type Definitions = Record<string, Schema>;

/**
 * Decodes a body of type application/vnd.kubernetes.protobuf into the value that its JSON would be
 * (upstream: apimachinery/pkg/runtime/serializer/protobuf). Throws WireError when it is none, or of a type not in the tables.
 */
export function decodeProtobuf(body: Buffer, definitions: Definitions): unknown {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new WireError(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    );
  }
  const { apiVersion, kind, raw } = readEnvelope(body.subarray(MAGIC.length));
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/', 2) : ['', apiVersion];
  const definition = definitionNameFor(group ?? '', version ?? '', kind);
  if (definition === undefined)
    throw new WireError(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return { apiVersion, kind, ...readMessage({ bytes: raw, definition, definitions }) };
}

function readEnvelope(bytes: Buffer): { apiVersion: string; kind: string; raw: Buffer } {
  const envelope: { apiVersion: string; kind: string; raw: Buffer } = {
    apiVersion: '',
    kind: '',
    raw: Buffer.alloc(0),
  };
  for (const { number, value } of readFields(bytes)) {
    if (number === 1 && typeof value !== 'bigint') {
      for (const part of readFields(value))
        envelope[part.number === 1 ? 'apiVersion' : 'kind'] = text(part.value);
    }
    if (number === 2 && typeof value !== 'bigint') envelope.raw = value;
  }
  return envelope;
}

const text = (value: bigint | Buffer): string =>
  typeof value === 'bigint' ? String(value) : value.toString();

interface Message {
  bytes: Buffer;
  definition: string;
  definitions: Definitions;
  /** The table row, where it isn't the definition's own (inlined messages). */
  row?: string;
}

function readMessage(message: Message): Record<string, unknown> {
  const { bytes, definition, definitions, row = rowOf(definition) } = message;
  const fields = fieldsOf(row);
  if (fields === undefined) throw new WireError(`no protobuf fields are known of ${row}`);
  const { properties = {}, required = [] } = definitions[definition] ?? {};
  const result: Record<string, unknown> = {};
  for (const { number, value } of readFields(bytes)) {
    const field = fields.get(number);
    if (field === undefined) continue;
    if (field.inlined) Object.assign(result, readInlined(message, field, value));
    else {
      const { name } = field;
      const schema = properties[name] ?? {};
      const keepsZero = field.keepsZero || required.includes(name) || schema.$ref !== undefined;
      addField({ result, name, keepsZero, value, schema, definitions });
    }
  }
  return result;
}

function readInlined(
  { definition, definitions, row = rowOf(definition) }: Message,
  { name }: MessageField,
  value: bigint | Buffer,
) {
  return readMessage({ bytes: bytesOf(value), definition, definitions, row: inlinedRow(row, name) });
}

interface Addition {
  result: Record<string, unknown>;
  name: string;
  /** Go's JSON tells it even when it is zero: what must be there, a pointer, or a message (`additionalProperties: false`). */
  keepsZero: boolean;
  value: bigint | Buffer;
  schema: Schema;
  definitions: Definitions;
}

function addField({ result, name, keepsZero, value, schema, definitions }: Addition): void {
  if (schema.type === 'array') {
    const list = (result[name] ??= []) as unknown[];
    list.push(readValue(value, schema.items ?? {}, definitions));
  } else if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    const map = (result[name] ??= {}) as Record<string, unknown>;
    const [key, content] = readEntry(value, schema.additionalProperties, definitions);
    Object.defineProperty(map, key, { value: content, enumerable: true, writable: true, configurable: true });
  } else {
    const content = readValue(value, schema, definitions);
    if (content !== undefined && (keepsZero || !isZero(content))) result[name] = content;
  }
}

const isZero = (value: unknown): boolean => value === '' || value === 0 || value === false;

/** A map is a list of messages: 1 is the key, 2 the value. */
function readEntry(value: bigint | Buffer, schema: Schema, definitions: Definitions): [string, unknown] {
  let [key, content]: [string, unknown] = ['', schema.type === 'string' ? '' : {}];
  for (const part of readFields(bytesOf(value))) {
    if (part.number === 1) key = text(part.value);
    if (part.number === 2)
      content = schema.type === 'array' ? readItems(part.value) : readValue(part.value, schema, definitions);
  }
  return [key, content];
}

/** ExtraValue and its like: a message whose field 1 is a list of strings. */
const readItems = (value: bigint | Buffer): string[] =>
  [...readFields(bytesOf(value))].map((part) => text(part.value));

const bytesOf = (value: bigint | Buffer): Buffer => {
  if (typeof value === 'bigint') throw new WireError('proto: wrong wireType');
  return value;
};

function readValue(value: bigint | Buffer, schema: Schema, definitions: Definitions): unknown {
  if (schema.$ref !== undefined)
    return readReference(bytesOf(value), referencedName(schema.$ref), definitions);
  switch (schema.type) {
    case 'boolean':
      return value !== 0n;
    case 'integer':
      return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0;
    case 'number':
      return typeof value === 'bigint' ? Number(value) : value.readDoubleLE();
    case 'string':
      return schema.format === 'byte' ? bytesOf(value).toString('base64') : text(value);
    case 'array':
    case 'object':
    case undefined:
      break;
  }
  return undefined;
}

function readReference(bytes: Buffer, definition: string, definitions: Definitions): unknown {
  switch (definition.slice(definition.lastIndexOf('.') + 1)) {
    case 'Quantity':
      return readItems(bytes)[0] ?? '0';
    case 'Time':
      return readTime(bytes, 0);
    case 'MicroTime':
      return readTime(bytes, 6);
    case 'IntOrString':
      return readIntOrString(bytes);
    case 'RawExtension':
    case 'FieldsV1':
      return readJson(bytes);
    case 'JSON':
      return readJson(bytes) ?? null;
    case 'JSONSchemaPropsOrArray':
    case 'JSONSchemaPropsOrBool':
    case 'JSONSchemaPropsOrStringArray':
      return readSchemaUnion(bytes, definition, definitions);
    default:
      return readMessage({ bytes, definition, definitions });
  }
}

/** A schema or what may stand in its place: the message has a field for either (upstream: apiextensions/v1/marshal.go). */
function readSchemaUnion(bytes: Buffer, definition: string, definitions: Definitions): unknown {
  const [schema = '', other] = definition.split(/(?<=JSONSchemaProps)Or/);
  const readSchema = (value: bigint | Buffer) => readReference(bytesOf(value), schema, definitions);
  const valuesOf = (number: number) =>
    [...readFields(bytes)].flatMap((field) => (field.number === number ? [field.value] : []));
  if (other === 'Bool') return valuesOf(2).map(readSchema).at(-1) ?? valuesOf(1).at(-1) === 1n;
  const list = valuesOf(2).map(other === 'Array' ? readSchema : text);
  return list.length > 0 ? list : (valuesOf(1).map(readSchema).at(-1) ?? null);
}

function numbersOf(bytes: Buffer): Map<number, bigint | Buffer> {
  return new Map([...readFields(bytes)].map(({ number, value }) => [number, value]));
}

/** Seconds and nanoseconds; the zero time is no time. */
function readTime(bytes: Buffer, digits: number): string | undefined {
  const parts = numbersOf(bytes);
  const seconds = parts.get(1);
  if (typeof seconds !== 'bigint') return undefined;
  const nanos = Number(parts.get(2) ?? 0n);
  const whole = new Date(Number(BigInt.asIntN(64, seconds)) * 1000).toISOString().slice(0, 19);
  return digits === 0 ? `${whole}Z` : `${whole}.${String(nanos).padStart(9, '0').slice(0, digits)}Z`;
}

function readIntOrString(bytes: Buffer): number | string {
  const parts = numbersOf(bytes);
  if ((parts.get(1) ?? 0n) === 0n)
    return Number(BigInt.asIntN(64, (parts.get(2) as bigint | undefined) ?? 0n));
  return text(parts.get(3) ?? Buffer.alloc(0));
}

function readJson(bytes: Buffer): unknown {
  const raw = numbersOf(bytes).get(1);
  return raw === undefined ? undefined : (JSON.parse(text(raw)) as unknown);
}
