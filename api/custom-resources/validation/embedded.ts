import { parseApiVersion } from '../../meta.ts';
import { isDns1035Label } from '../../names.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { invalid, required } from '../../validation/field-error.ts';
import { validateObjectMeta } from '../../validation/object-meta.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { schemaOfField } from '../structural-schema.ts';
import { isMap } from '../values.ts';
import { childField } from './list-types.ts';

/** Checks type and metadata of the resources that are embedded in an object (upstream: apiserver/schema/objectmeta). */
export function validateEmbedded(
  value: unknown,
  schema: StructuralSchema | undefined,
  field = '',
): FieldError[] {
  if (schema === undefined) return [];
  if (Array.isArray(value))
    return value.flatMap((item, index) => validateEmbedded(item, schema.items, `${field}[${index}]`));
  if (!isMap(value)) return [];
  return [
    ...(schema['x-kubernetes-embedded-resource'] === true ? checkResource(value, field) : []),
    ...Object.entries(value).flatMap(([name, content]) =>
      validateEmbedded(content, schemaOfField(schema, name), childField(schema, field, name)),
    ),
  ];
}

function checkResource(resource: Record<string, unknown>, field: string): FieldError[] {
  const { metadata } = resource;
  return [
    ...checkText(resource['apiVersion'], `${field}.apiVersion`, checkApiVersion),
    ...checkText(resource['kind'], `${field}.kind`, checkKind),
    ...(isMap(metadata) ? checkMetadata(metadata, `${field}.metadata`) : []),
  ];
}

function checkText(
  value: unknown,
  field: string,
  check: (text: string, field: string) => FieldError[],
): FieldError[] {
  if (value === undefined) return [required(field)];
  if (typeof value !== 'string') return [invalid(field, value, 'must be a string')];
  return value === '' ? [invalid(field, value, 'must not be empty')] : check(value, field);
}

function checkApiVersion(text: string, field: string): FieldError[] {
  const { group, version } = parseApiVersion(text);
  const isOne = !version.includes('/') && !group.includes('/');
  return isOne ? [] : [invalid(field, text, `unexpected GroupVersion string: ${text}`)];
}

function checkKind(text: string, field: string): FieldError[] {
  const wrong = isDns1035Label(text.toLowerCase());
  if (wrong.length === 0) return [];
  return [invalid(field, text, `may have mixed case, but should otherwise match: ${wrong.join(',')}`)];
}

/** An embedded object may have any name that can stand in a path, or none. */
function checkMetadata(metadata: Record<string, unknown>, path: string): FieldError[] {
  const named = { ...metadata, name: metadata['name'] || 'fakename' } as { namespace?: string };
  const namespaced = (named.namespace ?? '') !== '';
  return validateObjectMeta({ metadata: named }, { namespaced, nameRule: isPathSegment, path });
}

function isPathSegment(name: string, isPrefix = false): string[] {
  if (!isPrefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%'].filter((letter) => name.includes(letter)).map((letter) => `may not contain '${letter}'`);
}
