import { definitions } from './generated/definitions.js';
import { intOrString, quantity } from './schema/basic-definitions.ts';
import { definitionPrefix, referencedName } from './schema/schema.ts';
import type { GroupVersionKind, Schema } from './schema/schema.ts';

export { definitions } from './generated/definitions.js';
export type { GroupVersionKind, Schema } from './schema/schema.ts';

const namesByKind = new Map<string, string>();
for (const [name, schema] of Object.entries(definitions))
  for (const kind of schema['x-kubernetes-group-version-kind'] ?? []) {
    const key = kindKey(kind.group, kind.version, kind.kind);
    if (!namesByKind.has(key)) namesByKind.set(key, name);
  }

/** The definition name of a built-in kind (`'', 'v1', 'Pod'` → `io.k8s.api.core.v1.Pod`). */
export function definitionNameFor(group: string, version: string, kind: string): string | undefined {
  return namesByKind.get(kindKey(group, version, kind));
}

/** The schema of a built-in kind, in OpenAPI v2 form: `$ref`s are `#/definitions/NAME`, resolved by `definitionOf`. */
export function schemaFor(group: string, version: string, kind: string): Schema | undefined {
  const name = definitionNameFor(group, version, kind);
  return name === undefined ? undefined : definitions[name];
}

/** The schema that a name or a `$ref` names. */
export function definitionOf(nameOrReference: string): Schema | undefined {
  return definitions[referencedName(nameOrReference)];
}

/** The schema itself, or the one it refers to (a `$ref`, or a `$ref` inside `allOf`, as in OpenAPI v3). */
export function resolveSchema(schema: Schema): Schema {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  return reference === undefined ? schema : (definitionOf(reference) ?? {});
}

const namesBySchema = new Map(Object.entries(definitions).map(([name, schema]) => [schema, name]));

/** The name of the definition that has this schema; nothing for one of a custom resource, or a part of one. */
export const definitionNameOf = (schema: Schema): string | undefined => namesBySchema.get(schema);

/** The definitions with these names and all that they refer to, in OpenAPI v2 form (`definitions`). */
export function schemasReachableFrom(names: Iterable<string>): Record<string, Schema> {
  const found = new Set<string>();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const schema = definitions[name];
    if (schema === undefined || found.has(name)) continue;
    found.add(name);
    queue.push(...referencesIn(schema));
  }
  const entries = [...found].toSorted().map((name): [string, Schema] => [name, definitions[name] ?? {}]);
  return Object.fromEntries(entries);
}

/** The same in OpenAPI v3 form (`components.schemas`): references stand in `allOf`, beside description and default. */
export function openApiV3SchemasReachableFrom(names: Iterable<string>): Record<string, Schema> {
  const schemas = Object.entries(schemasReachableFrom(names));
  return Object.fromEntries(schemas.map(([name, schema]) => [name, toOpenApiV3(schema, name)]));
}

function kindKey(group: string, version: string, kind: string): string {
  return `${group}/${version}/${kind}`;
}

function referencesIn(schema: Schema): string[] {
  const own = schema.$ref === undefined ? [] : [referencedName(schema.$ref)];
  return [...own, ...partsOf(schema).flatMap(referencesIn)];
}

function partsOf(schema: Schema): Schema[] {
  const { properties = {}, items, additionalProperties } = schema;
  const values = typeof additionalProperties === 'object' ? [additionalProperties] : [];
  return [...Object.values(properties), ...(items === undefined ? [] : [items]), ...values];
}

/** A schema of OpenAPI v2 form in v3 form. */
export function toOpenApiV3(schema: Schema, name = ''): Schema {
  if (name === quantity) return oneOf(schema, [{ type: 'string' }, { type: 'number' }]);
  if (name === intOrString) return oneOf(schema, [{ type: 'integer' }, { type: 'string' }]);
  const { $ref, properties, items, additionalProperties, ...rest } = schema;
  const converted: Schema = { ...rest };
  if (properties !== undefined)
    converted.properties = Object.fromEntries(
      Object.entries(properties).map(([key, property]) => [key, toOpenApiV3(property)]),
    );
  if (items !== undefined) converted.items = toOpenApiV3(items);
  if (typeof additionalProperties === 'object')
    converted.additionalProperties = toOpenApiV3(additionalProperties);
  else if (additionalProperties !== undefined) converted.additionalProperties = additionalProperties;
  return $ref === undefined ? converted : { ...converted, allOf: [{ $ref: toV3Reference($ref) }] };
}

function toV3Reference(reference: string): string {
  return reference.replace(definitionPrefix, '#/components/schemas/');
}

function oneOf(schema: Schema, alternatives: Schema[]): Schema {
  const { type: _, ...rest } = schema;
  return { ...rest, oneOf: alternatives };
}

/** Every built-in kind that has a schema. */
export function builtInKinds(): GroupVersionKind[] {
  return Object.values(definitions).flatMap((schema) => schema['x-kubernetes-group-version-kind'] ?? []);
}
