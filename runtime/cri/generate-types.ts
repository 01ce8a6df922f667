// Writes runtime/cri/types.ts from runtime/cri.proto: `node runtime/cri/generate-types.ts` after a change of the protocol.
// The file is kept in the repository so that types can be read and searched; test/runtime/cri/types.test.ts holds the two together.
import { writeFile } from 'node:fs/promises';
import { criPackage } from './protocol.ts';

interface Field {
  name: string;
  label: string;
  type: string;
  typeName: string;
  options?: unknown;
}
interface Descriptor {
  name: string;
  field: Field[];
  nestedType: (Descriptor & { options?: { mapEntry?: boolean } | null })[];
  enumType: EnumDescriptor[];
}
interface EnumDescriptor {
  name: string;
  value: { name: string }[];
}

const numbers = new Set(['TYPE_INT32', 'TYPE_INT64', 'TYPE_UINT32', 'TYPE_UINT64', 'TYPE_DOUBLE']);

/** The text of runtime/cri/types.ts: an interface per message, a union of names per enum, a method table per service. */
export function generateTypes(): string {
  const messages: string[] = [];
  const services: string[] = [];
  for (const [path, entry] of Object.entries(criPackage())) {
    const name = path.slice(path.lastIndexOf('.') + 1);
    if (!('format' in entry)) services.push(serviceText(name, entry));
    else if ('field' in entry.type) messages.push(messageText(entry.type as unknown as Descriptor));
    else messages.push(enumText(entry.type as unknown as EnumDescriptor));
  }
  return [header, ...messages, ...services].join('\n\n') + '\n';
}

const header = `// Made from runtime/cri.proto by runtime/cri/generate-types.ts; do not edit.
// int64 is a number: times in nanoseconds since 1970 lose their last two or three digits, everything else in CRI fits.

/** What may be given when a message is sent: any part of it, the rest is the protocol's default. */
export type Sent<T> = T extends Uint8Array
  ? T
  : T extends (infer Item)[]
    ? Sent<Item>[]
    : T extends object
      ? { [Key in keyof T]?: Sent<T[Key]> | undefined }
      : T;`;

function messageText(message: Descriptor): string {
  if (message.field.length === 0) return `export type ${message.name} = Record<string, never>;`;
  const lines = message.field.map((field) => `  ${field.name}: ${typeOf(field, message)};`);
  const enums = message.enumType.map((nested) => `${enumText(nested)}\n`);
  return [...enums, `export interface ${message.name} {`, ...lines, '}'].join('\n');
}

function typeOf(field: Field, owner: Descriptor): string {
  const map = owner.nestedType.find((nested) => nested.options?.mapEntry && nested.name === field.typeName);
  if (map) return 'Record<string, string>';
  const single = singleType(field);
  if (field.label === 'LABEL_REPEATED') return `${single}[]`;
  return field.type === 'TYPE_MESSAGE' ? `${single} | null` : single;
}

function singleType(field: Field): string {
  if (numbers.has(field.type)) return 'number';
  if (field.type === 'TYPE_BOOL') return 'boolean';
  if (field.type === 'TYPE_STRING') return 'string';
  if (field.type === 'TYPE_BYTES') return 'Buffer';
  return field.typeName.slice(field.typeName.lastIndexOf('.') + 1);
}

function enumText(entry: EnumDescriptor): string {
  return `export type ${entry.name} = ${entry.value.map(({ name }) => `'${name}'`).join(' | ')};`;
}

function serviceText(name: string, service: object): string {
  const lines = Object.entries(service).map(([method, definition]) => {
    const { requestType, responseType, responseStream } = definition as {
      requestType: { type: { name: string } };
      responseType: { type: { name: string } };
      responseStream: boolean;
    };
    return `  ${method}: { request: ${requestType.type.name}; response: ${responseType.type.name}; stream: ${responseStream} };`;
  });
  return [`export interface ${name} {`, ...lines, '}'].join('\n');
}

if (import.meta.main) await writeFile(new URL('types.ts', import.meta.url), generateTypes());
