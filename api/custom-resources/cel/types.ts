import type { Environment } from '@marcbachmann/cel-js';
import { newEnvironment } from './environment.ts';
import type { ListIdentity } from './equality.ts';
import { celEquals, equalLists, markList } from './equality.ts';
import { unionOfLists } from './list-union.ts';
import { addNullComparison } from './library.ts';
import { escapeField } from './escape.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { isMap } from '../values.ts';

/** How a schema's values look to rules. */
export interface CelType {
  /** The type's name in the environment: `int`, `list<string>`, `Object3`. */
  name: string;
  /** Makes the value that rules see of a JSON value. */
  toCel(value: unknown): unknown;
}

/** The types of a schema and all that is below it, in one environment. */
export class SchemaTypes {
  readonly environment: Environment = newEnvironment();
  readonly #types = new Map<StructuralSchema, CelType | undefined>();
  readonly #root: StructuralSchema;
  /** No type can be added once rules have been compiled. */
  #isComplete = false;
  #objects = 0;
  readonly #lists = new Set<string>();

  constructor(root: StructuralSchema) {
    this.#root = root;
    this.typeOf(root);
    this.#isComplete = true;
  }

  /** The type of a schema's values; undefined for those that rules cannot see (upstream: apiserver pkg/cel/common SchemaDeclType). */
  typeOf(schema: StructuralSchema): CelType | undefined {
    if (this.#isComplete || this.#types.has(schema)) return this.#types.get(schema);
    const type = this.#make(
      schema,
      schema === this.#root || schema['x-kubernetes-embedded-resource'] === true,
    );
    this.#types.set(schema, type);
    return type;
  }

  #make(schema: StructuralSchema, isRoot: boolean): CelType | undefined {
    if (schema['x-kubernetes-int-or-string'] === true) return { name: 'dyn', toCel: intOrString };
    switch (schema.type ?? '') {
      case 'array':
        return schema.items === undefined ? undefined : this.#list(schema, schema.items);
      case 'object':
        return typeof schema.additionalProperties === 'object'
          ? this.#map(schema.additionalProperties)
          : this.#object(isRoot ? withTypeAndMetadata(schema) : schema);
      case 'string':
        return TEXT_FORMATS[schema.format ?? ''] ?? asIs('string');
      case 'boolean':
        return asIs('bool');
      case 'number':
        return { name: 'double', toCel: Number };
      case 'integer':
        return { name: 'int', toCel: (value) => BigInt(Math.trunc(value as number)) };
      default:
        return undefined;
    }
  }

  #list(schema: StructuralSchema, items: StructuralSchema): CelType | undefined {
    const type = this.#part(items);
    if (type === undefined) return undefined;
    const name = `list<${type.name}>`;
    const identity = identityIn(schema);
    if (identity !== undefined) this.#addListOperators(name);
    const toCel = (value: unknown) =>
      markList(
        (value as unknown[]).map((item) => type.toCel(item)),
        identity,
      );
    return { name, toCel };
  }

  /** The package's own know nothing of lists without order; those of a certain type come before them. */
  #addListOperators(list: string): void {
    // The package reads no operators of lists of maps.
    if (this.#lists.has(list) || list.includes(',')) return;
    this.#lists.add(list);
    this.environment.registerOperator(`${list} == ${list}`, equalLists);
    this.environment.registerOperator(`${list} + ${list}`, unionOfLists);
  }

  #map(values: StructuralSchema): CelType | undefined {
    const type = this.#part(values);
    if (type === undefined) return undefined;
    const toCel = (map: unknown) =>
      new Map(Object.entries(map as object).map(([key, value]) => [key, type.toCel(value)]));
    return { name: `map<string, ${type.name}>`, toCel };
  }

  #object({ properties = {} }: StructuralSchema): CelType {
    const name = `Object${++this.#objects}`;
    const fields = new Map<string, [field: string, type: CelType]>();
    for (const [property, schema] of Object.entries(properties)) {
      const type = this.#part(schema);
      const field = escapeField(property);
      if (type !== undefined && field !== undefined) fields.set(property, [field, type]);
    }
    const ObjectValue = class extends Map<string, unknown> {};
    const types = Object.fromEntries([...fields.values()].map(([field, type]) => [field, type.name]));
    this.environment.registerType(name, { ctor: ObjectValue, fields: types });
    this.environment.registerOperator(`${name} == ${name}`, celEquals);
    addNullComparison(this.environment, name);
    const toCel = (value: unknown) => {
      const object = new ObjectValue();
      for (const [property, content] of Object.entries(isMap(value) ? value : {})) {
        const known = fields.get(property);
        if (known !== undefined) object.set(known[0], known[1].toCel(content));
      }
      return object;
    };
    return { name, toCel };
  }

  /** A part that may be null is of any type: null is of no other. */
  #part(schema: StructuralSchema): CelType | undefined {
    const type = this.typeOf(schema);
    if (type === undefined || schema.nullable !== true) return type;
    return { name: 'dyn', toCel: (value) => (value === null ? null : type.toCel(value)) };
  }
}

function identityIn(schema: StructuralSchema): ListIdentity | undefined {
  const type = schema['x-kubernetes-list-type'];
  if (type === 'set') return { type };
  // Keys are names of fields as rules see them.
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []).map((key) => escapeField(key) ?? key);
  return type === 'map' ? { type, keys } : undefined;
}

const asIs = (name: string): CelType => ({ name, toCel: (value) => value });

const intOrString = (value: unknown): unknown =>
  typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;

const time: CelType = {
  name: 'google.protobuf.Timestamp',
  toCel: (value) => new Date(value as string),
};

/** A duration can only be made by the package's own function. */
const toDuration = (() => {
  let read: ((context: { text: string }) => unknown) | undefined;
  return (value: unknown): unknown => {
    read ??= newEnvironment().registerVariable('text', 'string').parse('duration(text)');
    return read({ text: value as string });
  };
})();

const TEXT_FORMATS: Record<string, CelType> = {
  byte: { name: 'bytes', toCel: (value) => new Uint8Array(Buffer.from(value as string, 'base64')) },
  duration: { name: 'google.protobuf.Duration', toCel: toDuration },
  date: time,
  'date-time': time,
};

const TEXT: StructuralSchema = { type: 'string' };

/** Rules see the type and the names of each resource's root, whatever its schema tells. */
const withTypeAndMetadata = (schema: StructuralSchema): StructuralSchema => ({
  ...schema,
  properties: {
    ...schema.properties,
    apiVersion: TEXT,
    kind: TEXT,
    metadata: { type: 'object', properties: { name: TEXT, generateName: TEXT } },
  },
});
