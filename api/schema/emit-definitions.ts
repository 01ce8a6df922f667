import {
  basicDefinitions,
  intOrString,
  microTime,
  quantity,
  rawExtension,
  time,
} from './basic-definitions.ts';
import { listKeys } from './list-keys.ts';
import { definitionNames, groupVersionKindsOf, splitDefinition } from './packages.ts';
import type { ModelsByApi } from './packages.ts';
import type { Model, ModelProperty } from './read-models.ts';
import { atomicStructs, quantityFields, untypedFields } from './scalar-fields.ts';
import { definitionPrefix } from './schema.ts';
import type { Schema } from './schema.ts';

interface Context {
  names: Map<string, string>;
  descriptions: Map<string, string>;
}

/** Makes the OpenAPI v2 definitions of all models, by name. */
export function emitDefinitions(models: Model[], modelsByApi: ModelsByApi): Record<string, Schema> {
  const names = definitionNames(models, modelsByApi);
  const descriptions = new Map(models.map((model) => [model.name, model.description]));
  const entries = models.flatMap((model): [string, Schema][] => {
    const name = names.get(model.name);
    return name === undefined ? [] : [[name, emitDefinition(name, model, { names, descriptions })]];
  });
  const all = [...entries, ...Object.entries(basicDefinitions)];
  return Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function emitDefinition(name: string, model: Model, context: Context): Schema {
  const required = model.properties.filter((property) => property.required).map((property) => property.name);
  const kinds = groupVersionKindsOf(name, model);
  return {
    ...(model.description === '' ? {} : { description: model.description }),
    type: 'object',
    ...(required.length === 0 ? {} : { required: required.toSorted() }),
    properties: Object.fromEntries(
      model.properties.map((property) => [property.name, emitProperty(name, property, context)]),
    ),
    ...(kinds.length === 0 ? {} : { 'x-kubernetes-group-version-kind': kinds }),
    ...(atomicStructs.has(name) ? { 'x-kubernetes-map-type': 'atomic' } : {}),
  };
}

function emitProperty(definition: string, property: ModelProperty, context: Context): Schema {
  const field = `${definition}.${property.name}`;
  const description =
    property.description === '' ? (context.descriptions.get(property.type) ?? '') : property.description;
  return {
    ...(description === '' ? {} : { description }),
    ...emitType(property.type, field, property.format, context),
    ...mergeMarkers(definition, property),
  };
}

function emitType(type: string, field: string, format: string, context: Context): Schema {
  const [, element] = /^Array<(.*)>$/.exec(type) ?? [];
  if (element !== undefined) return { type: 'array', items: emitType(element, field, format, context) };
  const [, value] = /^\{ \[key: string\]: (.*); \}$/.exec(type) ?? [];
  if (value !== undefined)
    return { type: 'object', additionalProperties: emitType(value, field, format, context) };
  return (
    emitScalar(type, field, format) ??
    reference(context.names.get(type) ?? untypedFields[field] ?? rawExtension)
  );
}

function emitScalar(type: string, field: string, format: string): Schema | undefined {
  const formatted = format === '' ? {} : { format };
  switch (type) {
    case 'string':
      return quantityFields.has(field) ? reference(quantity) : { type: 'string', ...formatted };
    case 'boolean':
      return { type: 'boolean' };
    case 'number':
      return { type: format === 'double' ? 'number' : 'integer', ...formatted };
    case 'Date':
      return reference(time);
    case 'V1MicroTime':
      return reference(microTime);
    case 'IntOrString':
      return reference(intOrString);
    default:
      return undefined;
  }
}

function reference(name: string): Schema {
  return { $ref: definitionPrefix + name };
}

/** The markers of list-keys.ts, or the markers of a list that isn't there. */
function mergeMarkers(definition: string, property: ModelProperty): Schema {
  const [packageName, version, kind] = splitDefinition(definition);
  const isList = property.type.startsWith('Array<');
  const unlisted = !isList || (property.name === 'items' && kind.endsWith('List')) ? 'plain' : 'atomic';
  const words = listKeys[`${packageName}.${version}`]?.[kind]?.[property.name] ?? unlisted;
  const markers = words.split('; ').map(parseMarker);
  const listType =
    isList && !/^(plain|atomic|set|map)/.test(words) ? { 'x-kubernetes-list-type': 'atomic' as const } : {};
  return Object.assign(listType, ...markers) as Schema;
}

function parseMarker(words: string): Schema {
  const [, patch, patchKey] = /^patch (\S+)(?: by (\S+))?$/.exec(words) ?? [];
  if (patch !== undefined) {
    const mergeKey = patchKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': patchKey };
    return { ...mergeKey, 'x-kubernetes-patch-strategy': patch };
  }
  const [, mapKeys] = /^map by (\S+)$/.exec(words) ?? [];
  if (mapKeys !== undefined)
    return { 'x-kubernetes-list-map-keys': mapKeys.split(','), 'x-kubernetes-list-type': 'map' };
  if (words === 'granular map' || words === 'atomic map')
    return { 'x-kubernetes-map-type': words === 'atomic map' ? 'atomic' : 'granular' };
  return words === 'set' || words === 'atomic' ? { 'x-kubernetes-list-type': words } : {};
}
