import { isDeepStrictEqual } from 'node:util';
import { goJson, quote } from '../../go-format.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { invalid, notSupported, tooLong, typeInvalid } from '../../validation/field-error.ts';
import { matchesPattern } from '../patterns.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { hasFormat, isKnownFormat } from './formats.ts';
import type { Node } from './node.ts';
import { fieldOf, subject } from './node.ts';
import type { Outcome } from './schema-outcome.ts';
import { failed, passed, withoutField } from './schema-outcome.ts';

/** The types that a schema allows; empty when it allows all. */
const typesOf = (schema: StructuralSchema): string[] =>
  schema['x-kubernetes-int-or-string'] === true
    ? ['integer', 'string']
    : schema.type === undefined || schema.type === ''
      ? []
      : [schema.type];

/** The format that values are held to. */
const formatOf = (schema: StructuralSchema): string => {
  const { format = '' } = schema;
  const [type, other] = typesOf(schema);
  return isKnownFormat(other === undefined ? type : undefined, format) ? format : '';
};

/** A value's JSON type and, of numbers, the format that Go reads it as. */
function shapeOf(value: unknown): { type: string; format: string } {
  if (typeof value === 'number')
    return Number.isInteger(value)
      ? { type: 'integer', format: 'int64' }
      : { type: 'number', format: 'float64' };
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return { type, format: '' };
}

export function checkType(value: unknown, schema: StructuralSchema, node: Node): Outcome {
  const types = typesOf(schema);
  const format = formatOf(schema);
  const shape = shapeOf(value);
  if (value === null)
    return types.length > 0 && schema.nullable !== true ? wrongType(types, 'null', node) : passed();
  if (types.length === 0 && format === '') return passed(0);
  const fits = types.includes(shape.type) || (shape.type === 'integer' && types.includes('number'));
  const isText = typeof value === 'string' || Array.isArray(value);
  const isNumeric = types.includes('number') || types.includes('integer');
  if (!isText && format !== '' && !fits && shape.format !== format)
    return wrongType([format], shape.format, node);
  // A format of text says enough: whether the value has it is checked next.
  if (!isNumeric && format !== '' && isText) return passed();
  return fits ? passed() : wrongType(types, shape.type, node);
}

const wrongType = (types: string[], given: string, node: Node): Outcome =>
  failed(
    typeInvalid(fieldOf(node), given, `${subject(node)} must be of type ${types.join(',')}: ${quote(given)}`),
  );

export function checkEnum(value: unknown, schema: StructuralSchema, node: Node): Outcome {
  const { enum: allowed = [] } = schema;
  if (allowed.length === 0 || allowed.some((other) => isDeepStrictEqual(other, value))) return passed(0);
  const shown = allowed.map((other) => (typeof other === 'string' ? other : goJson(other)));
  return failed(notSupported(fieldOf(node), value, shown));
}

export function checkString(text: string, schema: StructuralSchema, node: Node): Outcome {
  const { minLength, maxLength, pattern } = schema;
  const length = minLength === undefined && maxLength === undefined ? 0 : Array.from(text).length;
  const field = fieldOf(node);
  if (maxLength !== undefined && length > maxLength) return failed(tooLong(field, maxLength));
  if (minLength !== undefined && length < minLength)
    return failed(invalid(field, text, `${subject(node)} should be at least ${minLength} chars long`));
  if (pattern !== undefined && pattern !== '' && !matchesPattern(pattern, text))
    return failed(invalid(field, text, `${subject(node)} should match '${pattern}'`));
  return passed(0);
}

export function checkFormat(text: string, schema: StructuralSchema, node: Node): Outcome {
  const format = formatOf(schema);
  if (format === '' || hasFormat(text, format)) return passed(0);
  return failed(
    typeInvalid(fieldOf(node), text, `${subject(node)} must be of type ${format}: ${quote(text)}`),
  );
}

const INT32 = 2 ** 31;
const FLOAT32_MAX = 3.4028234663852886e38;

export function checkNumber(value: number, schema: StructuralSchema, node: Node): Outcome {
  const { multipleOf, maximum, minimum } = schema;
  const errors: FieldError[] = [...checkRange(value, schema, node)];
  const wrong = (detail: string) =>
    errors.push(invalid(fieldOf(node), value, `${subject(node)} should be ${detail}`));
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) wrong(`a multiple of ${multipleOf}`);
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum))
    wrong(`less than ${schema.exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`);
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum))
    wrong(`greater than ${schema.exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`);
  return errors.length > 0 ? failed(...errors) : passed();
}

/** Decimal factors such as 0.1 have no exact binary form: as upstream, the quotient's nearness to an integer counts. */
function isMultiple(value: number, factor: number): boolean {
  const quotient = value / factor;
  return Number.isInteger(quotient) || Math.abs(quotient - Math.round(quotient)) < 1e-9;
}

function checkRange(value: number, schema: StructuralSchema, node: Node): FieldError[] {
  const format = formatOf(schema);
  const tooLarge =
    (format === 'int32' && (value >= INT32 || value < -INT32)) ||
    (format === 'float' && Math.abs(value) > FLOAT32_MAX);
  if (!tooLarge) return [];
  const message = `Checked value must be of type ${schema.type ?? ''} with format ${format} in ${node.path}`;
  return [withoutField(node.root, message)];
}
