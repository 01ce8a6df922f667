import type { StatusError } from '../../api/status.ts';
import { isObject } from '../../api/patch/json-value.ts';
import { invalid } from '../../api/validation/field-error.ts';
import { invalidError } from '../http/errors.ts';
import { duplicateFields, inTextOrder, unknownField } from '../http/repeated-keys.ts';
import type { ApiObject } from '../registry/kind.ts';
import type { ResourceRequest } from './context.ts';
import { readFields, warn } from './read-object.ts';
import type { BodyType } from './read-object.ts';
import type { WriteOptions } from './write-options.ts';

/** 422 for what a patch has made, or for the patch itself. */
export const cannotBePatched = (shown: string, why: string): StatusError =>
  invalidError({ group: '', kind: '', plural: '' }, '', [invalid('patch', shown, why)]);

/**
 * What a patch has made of an object, read as its type. Refuses what cannot be one, and with strict validation for fields that
 * the type doesn't know or the patch has twice (upstream: handlers/patch.go).
 */
export function readPatched(options: {
  request: ResourceRequest;
  type: BodyType;
  value: unknown;
  write: WriteOptions;
  /** What a strict reading found in the patch itself. */
  strictErrors: string[];
  refuse: (why: string) => StatusError;
}): ApiObject {
  const { request, write, strictErrors, refuse } = options;
  const { object, unknown } = readFields(options);
  const strict = [...strictErrors, ...unknown.map(unknownField)];
  if (strict.length > 0 && write.fieldValidation === 'Strict')
    throw refuse(`strict decoding error: ${strict.join(', ')}`);
  if (write.fieldValidation === 'Warn') warn(request, strict);
  return object;
}

const OPERATION_FIELDS = ['op', 'path', 'from', 'value'];

/** What a strict reading finds in a JSON patch: keys that are there twice, and those that no operation has. */
export function strictErrorsOfJsonPatch(text: string, operations: unknown): string[] {
  const list = Array.isArray(operations) ? (operations as unknown[]) : [];
  const unknown = list.flatMap((operation, index) =>
    (isObject(operation) ? Object.keys(operation) : [])
      .filter((field) => !OPERATION_FIELDS.includes(field))
      .map((field) => unknownField(`[${index}].${field}`)),
  );
  return inTextOrder(text, [...duplicateFields(text), ...unknown]).map((error) => `json patch ${error}`);
}
