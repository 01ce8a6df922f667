import { definitionNameFor, definitionOf } from '../../api/openapi.ts';
import type { Schema } from '../../api/schema/schema.ts';
import { definitionPrefix } from '../../api/schema/schema.ts';
import type { CustomBehaviour, Kind } from '../registry/kind.ts';
import { listKindOf } from '../registry/kind.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const METADATA =
  "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
const LIST_METADATA =
  'Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';
const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';

/** The definition that documents call a kind or its list by; custom ones are named by their reversed group. */
export function schemaNameOf(kind: Kind, list = false): string | undefined {
  const name = list ? listKindOf(kind) : kind.kind;
  if (kind.custom === undefined) return definitionNameFor(kind.group, kind.version, name);
  return `${kind.group.split('.').toReversed().join('.')}.${kind.version}.${name}`;
}

/**
 * The definitions of a custom kind and its list (upstream: apiextensions-apiserver controller/openapi/builder). The built-in ones that
 * they refer to are references of OpenAPI v2, whichever version is asked for.
 */
export function customSchemas(kind: Kind, openApi: 2 | 3): Record<string, Schema> {
  if (kind.custom === undefined) return {};
  const [name = '', listName = ''] = [schemaNameOf(kind), schemaNameOf(kind, true)];
  return {
    [name]: { ...objectSchema(kind.custom, openApi), ...typedAs(kind, kind.kind) },
    [listName]: { ...listSchema(kind, name), ...typedAs(kind, listKindOf(kind)) },
  };
}

const typedAs = ({ group, version }: Kind, kind: string): Schema => ({
  'x-kubernetes-group-version-kind': [{ group, version, kind }],
});

const referenceTo = (name: string, description?: string): Schema => ({
  ...(description !== undefined && { description }),
  $ref: definitionPrefix + name,
});

function objectSchema({ schema }: CustomBehaviour, openApi: 2 | 3): Schema {
  const keepsAll = schema['x-kubernetes-preserve-unknown-fields'] === true;
  // kubectl takes a version 2 schema with properties for all that there may be.
  if (openApi === 2 && keepsAll) return { type: 'object' };
  const own = openApi === 2 ? toOpenApi2(schema) : schema;
  const properties = {
    ...own.properties,
    ...typeProperties(),
    metadata: referenceTo(`${META}.ObjectMeta`, METADATA),
  };
  return {
    ...withEmbedded({ ...own, properties: {} }, openApi),
    properties: embeddedIn(properties, openApi),
  };
}

function listSchema(kind: Kind, name: string): Schema {
  const items: Schema = {
    description: `List of ${kind.plural}. More info: ${CONVENTIONS}`,
    type: 'array',
    items: referenceTo(name),
  };
  return {
    description: `${listKindOf(kind)} is a list of ${kind.kind}`,
    type: 'object',
    required: ['items'],
    properties: { ...typeProperties(), items, metadata: referenceTo(`${META}.ListMeta`, LIST_METADATA) },
  };
}

/** apiVersion and kind as every built-in object has them. */
function typeProperties(): Record<string, Schema> {
  const { apiVersion, kind } = definitionOf('io.k8s.api.core.v1.ConfigMap')?.properties ?? {};
  return { ...(apiVersion !== undefined && { apiVersion }), ...(kind !== undefined && { kind }) };
}

const embeddedIn = (properties: Record<string, Schema>, openApi: 2 | 3): Record<string, Schema> =>
  Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, withEmbedded(property, openApi)]),
  );

const INT_OR_STRING: Schema[] = [{ type: 'integer' }, { type: 'string' }];

/** Embedded resources have type and metadata, too; what is a number or text says so. */
function withEmbedded(schema: Schema, openApi: 2 | 3): Schema {
  const { properties, items, additionalProperties } = schema;
  const result: Schema = {
    ...schema,
    ...(properties !== undefined && { properties: embeddedIn(properties, openApi) }),
    ...(items !== undefined && { items: withEmbedded(items, openApi) }),
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: withEmbedded(additionalProperties, openApi),
    }),
  };
  if (openApi === 3 && schema['x-kubernetes-int-or-string'] === true) result.anyOf ??= INT_OR_STRING;
  const keepsAll = openApi === 2 && schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (schema['x-kubernetes-embedded-resource'] !== true || keepsAll) return result;
  result.properties = {
    ...result.properties,
    ...typeProperties(),
    metadata: referenceTo(`${META}.ObjectMeta`, METADATA),
  };
  result.required = [...new Set([...(schema.required ?? []), 'kind', 'apiVersion'])];
  return result;
}

/** Without what OpenAPI v2 has no words for (upstream: controller/openapi/v2 ToStructuralOpenAPIV2). */
function toOpenApi2(schema: Schema): Schema {
  const { allOf: _allOf, oneOf: _oneOf, anyOf: _anyOf, not: _not, nullable, ...rest } = schema;
  const { type, properties, items, required, ...untyped } = rest;
  const keepsAll = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const { additionalProperties } = schema;
  const below: Schema = {
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: toOpenApi2(additionalProperties),
    }),
  };
  if (nullable === true || keepsAll) {
    const isTyped = nullable !== true && type !== 'object' && type !== 'array' && type !== undefined;
    return { ...untyped, ...below, ...(isTyped && { type }), ...(required !== undefined && { required }) };
  }
  const needed = required?.filter((name) => properties?.[name]?.nullable !== true) ?? [];
  return {
    ...untyped,
    ...below,
    ...(type !== undefined && !(type === 'array' && items === undefined) && { type }),
    ...(needed.length > 0 && { required: needed }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, property]) => [name, toOpenApi2(property)]),
      ),
    }),
    ...(items !== undefined && { items: toOpenApi2(items) }),
  };
}
