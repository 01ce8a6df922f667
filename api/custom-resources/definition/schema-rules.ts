import type { ValidationRule } from '../../types.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { invalid, notSupported, required } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { readFieldPath } from './field-path.ts';

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

/** Checks the form of a schema's x-kubernetes-validations; that they compile is checked when all else is right. */
export const checkRules = (schema: StructuralSchema, path: string): FieldError[] =>
  (schema['x-kubernetes-validations'] ?? []).flatMap((rule, index) => {
    const field = `${path}.x-kubernetes-validations[${index}]`;
    return [...checkTexts(rule, field), ...checkReason(rule, field), ...checkFieldPath(rule, schema, field)];
  });

const hasLineBreak = (text: string): boolean => /[\n\r]/.test(text);

function checkTexts(
  { rule = '', message = '', messageExpression = '' }: Partial<ValidationRule>,
  field: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (rule.trim() === '') errors.push(required(`${field}.rule`, 'rule is not specified'));
  else if (message !== '' && message.trim() === '')
    errors.push(invalid(`${field}.message`, message, 'must be non-empty if specified'));
  else if (hasLineBreak(message.trim()))
    errors.push(invalid(`${field}.message`, message, 'must not contain line breaks'));
  else if (hasLineBreak(rule.trim()) && message.trim() === '')
    errors.push(required(`${field}.message`, 'message must be specified if rule contains line breaks'));
  if (messageExpression !== '' && messageExpression.trim() === '')
    errors.push(required(`${field}.messageExpression`, 'messageExpression must be non-empty if specified'));
  return errors;
}

const checkReason = ({ reason }: ValidationRule, field: string): FieldError[] =>
  reason === undefined || REASONS.includes(reason) ? [] : [notSupported(`${field}.reason`, reason, REASONS)];

function checkFieldPath(
  { fieldPath = '' }: ValidationRule,
  schema: StructuralSchema,
  field: string,
): FieldError[] {
  if (fieldPath === '') return [];
  const wrong = (detail: string) => invalid(`${field}.fieldPath`, fieldPath, detail);
  return [
    ...(fieldPath.trim() === '' ? [wrong('must be non-empty if specified')] : []),
    ...(hasLineBreak(fieldPath) ? [wrong('must not contain line breaks')] : []),
    ...(leadsSomewhere(fieldPath, schema) ? [] : [wrong('must be a valid path')]),
  ];
}

function leadsSomewhere(path: string, schema: StructuralSchema): boolean {
  try {
    readFieldPath(path, schema);
    return true;
  } catch {
    // That is the answer.
    return false;
  }
}
