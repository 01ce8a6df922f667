import type { FieldError } from '../../validation/field-error.ts';
import { invalid } from '../../validation/field-error.ts';
import type { ValidationRule } from '../../types.ts';
import type { CompiledRule } from '../cel/rule.ts';
import { hasRules, RuleValidator } from '../cel/validator.ts';
import type { StructuralSchema } from '../structural-schema.ts';

/** Checks that the rules of a schema compile, and that those that look back can (upstream: validation.go). */
export function compileRules(schema: StructuralSchema, path: string): FieldError[] {
  return hasRules(schema)
    ? check(schema, { path, blind: undefined, validator: new RuleValidator(schema) })
    : [];
}

interface Place {
  path: string;
  /** The part of the schema below which nothing can be told to be the same as before an update. */
  blind: string | undefined;
  validator: RuleValidator;
}

function check(schema: StructuralSchema, place: Place): FieldError[] {
  const { items, properties = {}, additionalProperties } = schema;
  const { path, validator } = place;
  const rules = validator.nodeOf(schema)?.rules ?? [];
  const isCorrelated = schema['x-kubernetes-list-type'] === 'map';
  const inMap = schema['x-kubernetes-map-type'] === 'atomic' ? (place.blind ?? path) : place.blind;
  return [
    ...rules.flatMap((rule, index) => checkRule(rule, `${path}.x-kubernetes-validations[${index}]`, place)),
    ...(typeof additionalProperties === 'object'
      ? check(additionalProperties, { ...place, path: `${path}.additionalProperties` })
      : []),
    ...Object.entries(properties).flatMap(([name, property]) =>
      check(property, { ...place, path: `${path}.properties[${name}]`, blind: inMap }),
    ),
    ...(items === undefined
      ? []
      : check(items, {
          ...place,
          path: `${path}.items`,
          blind: isCorrelated ? place.blind : (place.blind ?? path),
        })),
  ];
}

function checkRule(
  { rule, error, messageError, usesOldSelf }: CompiledRule,
  field: string,
  { blind }: Place,
): FieldError[] {
  const lost = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${blind ?? ''}`;
  return [
    ...(error === undefined ? [] : [invalid(`${field}.rule`, shownRule(rule), error)]),
    ...(messageError === undefined
      ? []
      : [invalid(`${field}.messageExpression`, shownRule(rule), messageError)]),
    ...(usesOldSelf && blind !== undefined ? [invalid(`${field}.rule`, rule.rule, lost)] : []),
    ...(!usesOldSelf && rule.optionalOldSelf !== undefined
      ? [
          invalid(
            `${field}.optionalOldSelf`,
            rule.optionalOldSelf,
            'may not be set if oldSelf is not used in rule',
          ),
        ]
      : []),
  ];
}

/** As upstream shows it: with the names of its fields in Go. */
const shownRule = ({
  rule,
  message,
  messageExpression,
  reason,
  fieldPath,
  optionalOldSelf,
}: ValidationRule) => ({
  Rule: rule,
  Message: message ?? '',
  MessageExpression: messageExpression ?? '',
  Reason: reason ?? null,
  FieldPath: fieldPath ?? '',
  OptionalOldSelf: optionalOldSelf ?? null,
});
