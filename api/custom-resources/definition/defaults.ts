import { isDeepStrictEqual } from 'node:util';
import type { FieldError } from '../../validation/field-error.ts';
import { invalid } from '../../validation/field-error.ts';
import { pruneValue } from '../prune.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { validateEmbedded } from '../validation/embedded.ts';
import { validateAgainstSchema } from '../validation/schema.ts';

/** Checks that the defaults of a schema are what the schema asks for (upstream: pkg/apiserver/schema/defaulting/validation.go). */
export function validateDefaults(schema: StructuralSchema, path: string): FieldError[] {
  const { items, properties = {} } = schema;
  return [
    ...(schema.default === undefined ? [] : checkDefault(schema, `${path}.default`)),
    ...(items === undefined ? [] : validateDefaults(items, `${path}.items`)),
    ...Object.entries(properties).flatMap(([name, property]) =>
      validateDefaults(property, `${path}.properties[${name}]`),
    ),
  ];
}

function checkDefault(schema: StructuralSchema, path: string): FieldError[] {
  const value = schema.default;
  const isPruned = isDeepStrictEqual(pruneValue(value, schema), value);
  const unknown = isPruned ? [] : [invalid(path, value, 'must not have unknown fields')];
  const embedded = validateEmbedded(value, schema, path);
  if (embedded.length > 0) return [...unknown, ...embedded];
  return [...unknown, ...validateAgainstSchema({ value, schema, root: path })];
}
