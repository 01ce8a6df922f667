import { goJson, quote } from '../go-format.ts';

/**
 * One field that a validation refuses. `reason` and `message` are the cause's in the answered Status:
 * `spec.containers[0].name`, `FieldValueRequired`, `Required value`.
 * The words are those of upstream's field.Error (apimachinery pkg/util/validation/field/errors.go).
 */
export interface FieldError {
  field: string;
  reason: FieldErrorReason;
  message: string;
}

export type FieldErrorReason = keyof typeof titles;

const titles = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTooFew: 'Too few',
  FieldValueTooShort: 'Too short',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
};

/** Given as the value of an error that doesn't show it: objects and lists would only be long. */
export const omitted = Symbol('omitted');

/** A value must be there: not absent, not empty. */
export function required(field: string, detail = ''): FieldError {
  return withoutValue(field, 'FieldValueRequired', detail);
}

/** A malformed value. */
export function invalid(field: string, value: unknown, detail: string): FieldError {
  return withValue(field, 'FieldValueInvalid', value, detail);
}

/** A value that is none of a fixed set. */
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length === 0 ? '' : `supported values: ${supported.map(quote).join(', ')}`;
  return withValue(field, 'FieldValueNotSupported', value, detail);
}

/** A well-formed value that may not be here under the present conditions. */
export function forbidden(field: string, detail: string): FieldError {
  return withoutValue(field, 'FieldValueForbidden', detail);
}

/** The same value twice where values are unique. */
export function duplicate(field: string, value: unknown): FieldError {
  return withValue(field, 'FieldValueDuplicate', value, '');
}

/** A value that names something which isn't there. */
export function notFoundField(field: string, value: unknown): FieldError {
  return withValue(field, 'FieldValueNotFound', value, '');
}

/** More than `limitBytes` bytes. */
export function tooLong(field: string, limitBytes: number): FieldError {
  const unit = limitBytes === 1 ? 'byte' : 'bytes';
  return withoutValue(field, 'FieldValueTooLong', `may not be more than ${limitBytes} ${unit}`);
}

/** A list of `actual` items where at most `limit` may be. */
export function tooMany(field: string, actual: number, limit: number): FieldError {
  const unit = limit === 1 ? 'item' : 'items';
  return withValue(field, 'FieldValueTooMany', actual, `must have at most ${limit} ${unit}`);
}

/** A value of the wrong JSON type. */
export function typeInvalid(field: string, value: unknown, detail: string): FieldError {
  return withValue(field, 'FieldValueTypeInvalid', value, detail);
}

/** The error in one line: `spec.containers[0].name: Required value`. */
export function fieldErrorText({ field, message }: FieldError): string {
  return `${field}: ${message}`;
}

/** Several errors in one line, each text once; upstream's aggregate: `a`, or `[a, b]`. */
export function fieldErrorsText(errors: FieldError[]): string {
  const texts = [...new Set(errors.map(fieldErrorText))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

function withoutValue(field: string, reason: FieldErrorReason, detail: string): FieldError {
  return { field, reason, message: detail === '' ? titles[reason] : `${titles[reason]}: ${detail}` };
}

function withValue(field: string, reason: FieldErrorReason, value: unknown, detail: string): FieldError {
  if (value === omitted) return withoutValue(field, reason, detail);
  const shown = typeof value === 'string' ? quote(value) : goJson(value);
  return { field, reason, message: `${titles[reason]}: ${shown}${detail === '' ? '' : `: ${detail}`}` };
}
