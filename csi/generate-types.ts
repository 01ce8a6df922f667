// Writes csi/types.ts from the .proto files of this folder: `node csi/generate-types.ts` after a change of the protocol.
// The file is kept in the repository so that types can be read and searched; test/csi/types.test.ts holds the two together.
import { writeFile } from 'node:fs/promises';
import { csiPackage } from './protocol.ts';

interface Field {
  name: string;
  label: string;
  type: string;
  typeName: string;
}
interface Descriptor {
  name: string;
  field: Field[];
  nestedType: (Descriptor & { options?: { mapEntry?: boolean } | null })[];
  enumType: EnumDescriptor[];
  oneofDecl: unknown[];
}
interface EnumDescriptor {
  name: string;
  value: { name: string }[];
}
interface Method {
  requestType: { type: { name: string } };
  responseType: { type: { name: string } };
}

const numbers = new Set(['TYPE_INT32', 'TYPE_INT64', 'TYPE_UINT32', 'TYPE_UINT64', 'TYPE_DOUBLE']);

/** The text of csi/types.ts: an interface per message, a union of names per enum, a method table per service. */
export function generateTypes(): string {
  const messages: string[] = [];
  const services: string[] = [];
  for (const [path, entry] of Object.entries(csiPackage())) {
    if (path.startsWith('google.protobuf.')) continue;
    const name = path.slice(path.lastIndexOf('.') + 1);
    if (!('format' in entry)) services.push(serviceText(name, entry as unknown as Record<string, Method>));
    else messages.push(...messageTexts(entry.type as unknown as Descriptor, ''));
  }
  return [header, ...messages, ...services].join('\n\n') + '\n';
}

const header = `// Made from csi/csi.proto and csi/plugin-registration.proto by csi/generate-types.ts; do not edit.
// A message inside another is named for both: VolumeCapability's AccessMode's Mode is VolumeCapabilityAccessModeMode.

/** What may be given when a message is sent: any part of it, the rest is the protocol's default. */
export type Sent<T> = T extends (infer Item)[]
  ? Sent<Item>[]
  : T extends object
    ? { [Key in keyof T]?: Sent<T[Key]> | undefined }
    : T;

export interface BoolValue {
  value: boolean;
}

export interface Int64Value {
  value: number;
}

export interface Timestamp {
  seconds: number;
  nanos: number;
}`;

/** What proto-loader tells of a field can't say whether it is in its message's `oneof`: all are but this one. */
const outsideOneof = new Set(['VolumeCapability.accessMode']);

/** The names that a message declares, and for whom: they are seen from inside it, however deep. */
interface Scope {
  owner: string;
  names: Set<string>;
}

function messageTexts(message: Descriptor, owner: string, outer: Scope[] = []): string[] {
  const name = owner + message.name;
  const nested = message.nestedType.filter(({ options }) => options?.mapEntry !== true);
  const names = new Set([...nested, ...message.enumType].map((inner) => inner.name));
  const scopes = [{ owner: name, names }, ...outer];
  return [
    ...message.enumType.map((entry) => enumText(entry, name)),
    ...nested.flatMap((inner) => messageTexts(inner, name, scopes)),
    messageText(message, name, scopes),
  ];
}

function messageText(message: Descriptor, name: string, scopes: Scope[]): string {
  if (message.field.length === 0) return `export type ${name} = Record<string, never>;`;
  const lines = message.field.map((field) => {
    const nested = message.nestedType.find((inner) => inner.name === field.typeName);
    if (nested?.options?.mapEntry === true) return `  ${field.name}: Record<string, string>;`;
    const single = singleType(field, scopes);
    if (field.label === 'LABEL_REPEATED') return `  ${field.name}: ${single}[];`;
    const inOneof = message.oneofDecl.length > 0 && !outsideOneof.has(`${name}.${field.name}`);
    if (inOneof) return `  ${field.name}?: ${single};`;
    return `  ${field.name}: ${single}${field.type === 'TYPE_MESSAGE' ? ' | null' : ''};`;
  });
  return [`export interface ${name} {`, ...lines, '}'].join('\n');
}

function singleType({ type, typeName }: Field, scopes: Scope[]): string {
  if (numbers.has(type)) return 'number';
  if (type === 'TYPE_BOOL') return 'boolean';
  if (type === 'TYPE_STRING') return 'string';
  const owner = scopes.find(({ names }) => names.has(typeName))?.owner ?? '';
  return owner + typeName.slice(typeName.lastIndexOf('.') + 1);
}

const enumText = ({ name, value }: EnumDescriptor, owner: string): string =>
  `export type ${owner}${name} = ${value.map((entry) => `'${entry.name}'`).join(' | ')};`;

function serviceText(name: string, service: Record<string, Method>): string {
  const lines = Object.entries(service).map(
    ([rpc, { requestType, responseType }]) =>
      `  ${camelCase(rpc)}: { request: ${requestType.type.name}; response: ${responseType.type.name} };`,
  );
  return [`export interface ${name}Service {`, ...lines, '}'].join('\n');
}

const camelCase = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

if (import.meta.main) await writeFile(new URL('types.ts', import.meta.url), generateTypes());
