import type { CustomResourceDefinitionVersion } from '../../types.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { forbidden, invalid } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { validateDefaults } from './defaults.ts';
import { validateOpenApiSchema } from './open-api-schema.ts';
import { compileRules } from './compile-rules.ts';
import { validateStructural } from './structural.ts';

const ALLOWED_AT_ROOT = [
  'description',
  'type',
  'format',
  'title',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'multipleOf',
  'required',
  'items',
  'properties',
  'externalDocs',
  'example',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
];

const ALLOWED_IN_WORDS =
  '[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]';

/** All that is wrong with the schema of a version (upstream: validation.go validateCustomResourceDefinitionValidation). */
export function checkSchema(
  { schema: validation, subresources }: Pick<CustomResourceDefinitionVersion, 'schema' | 'subresources'>,
  path: string,
): FieldError[] {
  const schema = validation?.openAPIV3Schema as StructuralSchema | undefined;
  if (schema === undefined) return [];
  const field = `${path}.openAPIV3Schema`;
  const structural = validateStructural(schema, field);
  const defaults = structural.length > 0 ? structural : validateDefaults(schema, field);
  const parts = validateOpenApiSchema(schema, field);
  return [
    ...(subresources?.status === undefined ? [] : checkRoot(schema, path)),
    ...(schema.nullable === true
      ? [forbidden(`${field}.nullable`, 'nullable cannot be true at the root')]
      : []),
    ...defaults,
    ...parts,
    ...(defaults.length + parts.length > 0 ? [] : compileRules(schema, field)),
  ];
}

/** With a status subresource the status' schema is taken out of the whole: nothing at the root may speak of it. */
function checkRoot(schema: StructuralSchema, path: string): FieldError[] {
  if (schema.type !== undefined && schema.type !== '' && schema.type !== 'object') {
    const why =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    return [invalid(`${path}.openAPIV3Schema.type`, schema.type, why)];
  }
  const other = Object.entries(schema).find(
    ([field, value]) => isSet(value) && !ALLOWED_AT_ROOT.includes(field),
  );
  if (other === undefined) return [];
  const why = `only ${ALLOWED_IN_WORDS} fields are allowed at the root of the schema if the status subresource is enabled`;
  return [invalid(`${path}.openAPIV3Schema`, schema, why)];
}

const isSet = (value: unknown): boolean => value !== undefined && value !== false && value !== '';
