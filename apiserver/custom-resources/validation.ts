import { hasRules, RuleValidator } from '../../api/custom-resources/cel/validator.ts';
import type { StructuralSchema } from '../../api/custom-resources/structural-schema.ts';
import { validateEmbedded } from '../../api/custom-resources/validation/embedded.ts';
import { validateListTypes } from '../../api/custom-resources/validation/list-types.ts';
import { NO_FIELD } from '../../api/custom-resources/validation/schema-outcome.ts';
import { validateAgainstSchema } from '../../api/custom-resources/validation/schema.ts';
import type { CustomResourceDefinitionVersion } from '../../api/types.ts';
import { nameIsSubdomain } from '../../api/validation/checks.ts';
import type { FieldError, FieldErrorReason } from '../../api/validation/field-error.ts';
import { invalid } from '../../api/validation/field-error.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../../api/validation/object-meta.ts';
import type { ApiObject, CustomBehaviour } from '../registry/kind.ts';
import { validateScaleSpec, validateScaleStatus } from './scale-paths.ts';

interface ValidationOptions {
  schema: StructuralSchema;
  version: CustomResourceDefinitionVersion;
  namespaced: boolean;
}

/**
 * How the objects of one version of a custom resource are checked. An update may keep what was wrong before
 * (upstream: registry/customresource/{validator,strategy,status_strategy}.go).
 */
export function customValidation(
  options: ValidationOptions,
): Pick<CustomBehaviour, 'validate' | 'validateUpdate'> {
  const rules = lazyRules(options.schema);
  return {
    validate: (object) => withRules(checkNew(object, options), () => rules()?.validate(object)),
    validateUpdate(object, old, subresource) {
      const check = subresource === 'status' ? checkStatus : checkChanged;
      return withRules(check(object, old, options), () => rules()?.validate(object, old));
    },
  };
}

const nameRule = nameIsSubdomain;

const checkNew = (object: ApiObject, { schema, version, namespaced }: ValidationOptions): FieldError[] => [
  ...validateObjectMeta(object, { namespaced, nameRule }),
  ...validateAgainstSchema({ value: object, schema }),
  ...validateScaleSpec(object, version.subresources?.scale),
  ...validateScaleStatus(object, version.subresources?.scale),
  ...validateEmbedded(object, schema),
  ...validateListTypes(object, schema),
];

const checkChanged = (
  object: ApiObject,
  old: ApiObject,
  { schema, version }: ValidationOptions,
): FieldError[] => [
  ...validateObjectMetaUpdate(object, old),
  ...validateAgainstSchema({ value: object, schema, old: { value: old } }),
  ...validateScaleSpec(object, version.subresources?.scale),
  ...validateScaleStatus(object, version.subresources?.scale),
  ...validateEmbedded(object, schema),
  ...checkListTypes(object, old, schema),
];

function checkStatus(
  object: ApiObject,
  old: ApiObject,
  { schema, version }: ValidationOptions,
): FieldError[] {
  const { status } = object as ApiObject & { status?: unknown };
  const before = (old as ApiObject & { status?: unknown }).status;
  const statusSchema = schema.properties?.['status'];
  return [
    ...validateObjectMetaUpdate(object, old),
    ...(status === undefined || statusSchema === undefined
      ? []
      : validateAgainstSchema({
          value: status,
          schema: statusSchema,
          root: 'status',
          old: { value: before },
        })),
    ...validateScaleStatus(object, version.subresources?.scale),
    ...checkListTypes(object, old, schema),
  ];
}

/** Lists that had an item twice before may keep it. */
const checkListTypes = (object: ApiObject, old: ApiObject, schema: StructuralSchema): FieldError[] =>
  validateListTypes(old, schema).length > 0 ? [] : validateListTypes(object, schema);

/** With these, rules could meet values that they aren't made for. */
const BLOCKING: FieldErrorReason[] = [
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
];

const NOT_CHECKED =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

function withRules(errors: FieldError[], evaluate: () => FieldError[] | undefined): FieldError[] {
  if (errors.some(({ reason }) => BLOCKING.includes(reason)))
    return [...errors, invalid(NO_FIELD, null, NOT_CHECKED)];
  return [...errors, ...(evaluate() ?? [])];
}

/** Rules are compiled when the first object comes. */
function lazyRules(schema: StructuralSchema): () => RuleValidator | undefined {
  const has = hasRules(schema);
  let validator: RuleValidator | undefined;
  return () => (has ? (validator ??= new RuleValidator(schema)) : undefined);
}
