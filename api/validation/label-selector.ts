import { isLabelValue } from '../names.ts';
import type { LabelSelector, LabelSelectorRequirement } from '../types.ts';
import { checkQualifiedName, complaints } from './checks.ts';
import { forbidden, invalid, required } from './field-error.ts';
import type { FieldError } from './field-error.ts';
import { validateLabels } from './object-meta.ts';

/** Checks a selector field. Source: apimachinery pkg/apis/meta/v1/validation/validation.go. */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  return [
    ...validateLabels(selector?.matchLabels, `${path}.matchLabels`),
    ...(selector?.matchExpressions ?? []).flatMap((requirement, index) =>
      validateRequirement(requirement, `${path}.matchExpressions[${index}]`),
    ),
  ];
}

/** Checks one requirement; `unknownOperators` lets pass those that a newer client may know. */
export function validateRequirement(
  { key, operator, values = [] }: LabelSelectorRequirement,
  path: string,
  { unknownOperators = false } = {},
): FieldError[] {
  return [
    ...(unknownOperators && !isSelectorOperator(operator) ? [] : checkValueCount(operator, values, path)),
    ...checkQualifiedName(key ?? '', `${path}.key`),
    ...values.flatMap((value, index) => complaints(`${path}.values[${index}]`, value, isLabelValue(value))),
  ];
}

export const isSelectorOperator = (operator: string): boolean =>
  ['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator);

/** Whether a requirement has the values that its operator asks for. */
export function checkValueCount(operator: string, values: string[], path: string): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0
        ? []
        : [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
        ? []
        : [forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
    default:
      return [invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator')];
  }
}
