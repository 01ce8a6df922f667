import { isObject } from '../../api/patch/json-value.ts';
import { invalid } from '../../api/validation/field-error.ts';
import { invalidError } from '../http/errors.ts';
import { duplicateFields, inTextOrder, unknownField } from '../http/repeated-keys.ts';
import type { ApiObject } from '../registry/kind.ts';
import type { ResourceRequest } from './context.ts';
import { readFields, warn } from './read-object.ts';
import type { BodyType } from './read-object.ts';
import type { WriteOptions } from './write-options.ts';

/**
 * What a patch has made of an object, read as its type. Throws 422 for what cannot be one, and with strict validation for fields that
 * the type doesn't know or the patch has twice (upstream: handlers/patch.go).
 */
export function readPatched(options: {
  request: ResourceRequest;
  type: BodyType;
  value: unknown;
  write: WriteOptions;
  /** What a strict reading found in the patch itself. */
  strictErrors: string[];
  /** What a refusal shows. */
  shown: () => string;
}): ApiObject {
  const { request, write, strictErrors, shown } = options;
  const refuse = (why: string) => {
    const nothing = { group: '', kind: '', plural: '' };
    return invalidError(nothing, '', [invalid('patch', shown(), why)]);
  };
  const { object, unknown } = readFields({ ...options, refuse });
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
