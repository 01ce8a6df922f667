import { isDeepStrictEqual } from 'node:util';
import type { FieldError } from '../../validation/field-error.ts';
import { required, tooMany, invalid } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { isMap } from '../values.ts';
import { compositions } from './compositions.ts';
import { oldField, oldItem } from './correlation.ts';
import type { Node, Old } from './node.ts';
import { fieldOf, subject } from './node.ts';
import type { Outcome } from './schema-outcome.ts';
import { failed, isValid, merged, passed } from './schema-outcome.ts';
import { checkEnum, checkFormat, checkNumber, checkString, checkType } from './scalars.ts';

/**
 * Checks a value against a schema. On an update, what was wrong before and hasn't changed is let pass (KEP-4008).
 * Messages as upstream's (kube-openapi pkg/validation/errors, apiextensions-apiserver pkg/apiserver/validation).
 */
export function validateAgainstSchema(options: {
  value: unknown;
  schema: StructuralSchema;
  root?: string;
  old?: Old | undefined;
}): FieldError[] {
  const { value, schema, root = '', old } = options;
  return checkCorrelated(value, schema, { path: '', root, old }).errors;
}

/** As `checkSchema`; errors of a value that hasn't changed are dropped. */
function checkCorrelated(value: unknown, schema: StructuralSchema, node: Node): Outcome {
  const outcome = checkSchema(value, schema, node);
  const isUnchanged = !isValid(outcome) && node.old !== undefined && isDeepStrictEqual(node.old.value, value);
  return isUnchanged ? passed(outcome.matches) : outcome;
}

/** Checks a value against a schema, whatever it was before. */
function checkSchema(value: unknown, schema: StructuralSchema, node: Node): Outcome {
  if (value === null) return merged(checkType(value, schema, node), checkEnum(value, schema, node));
  const outcomes = [
    checkType(value, schema, node),
    compositions(schema, node, (other) => checkSchema(value, other, node)),
    ...(typeof value === 'string'
      ? [checkString(value, schema, node), checkFormat(value, schema, node)]
      : []),
    ...(typeof value === 'number' ? [checkNumber(value, schema, node)] : []),
    ...(Array.isArray(value) ? [checkItems(value, schema, node)] : []),
    checkEnum(value, schema, node),
    ...(isMap(value) ? [checkFields(value, schema, node)] : []),
  ];
  return merged(...outcomes, passed(outcomes.length + 1));
}

function checkItems(list: unknown[], schema: StructuralSchema, node: Node): Outcome {
  const { items, minItems, maxItems } = schema;
  const outcomes =
    items === undefined
      ? []
      : list.map((item, index) => {
          const old = oldItem(node.old, { schema, item });
          return checkCorrelated(item, items, { ...node, path: `${node.path}[${index}]`, old });
        });
  const errors: FieldError[] = [];
  if (minItems !== undefined && list.length < minItems)
    errors.push(
      invalid(fieldOf(node), list.length, `${subject(node)} should have at least ${minItems} items`),
    );
  if (maxItems !== undefined && list.length > maxItems)
    errors.push(tooMany(fieldOf(node), list.length, maxItems));
  return merged(...outcomes, failed(...errors), passed());
}

function checkFields(map: Record<string, unknown>, schema: StructuralSchema, node: Node): Outcome {
  const { properties = {}, additionalProperties, required: names = [] } = schema;
  const check = (name: string, value: unknown, known: StructuralSchema) =>
    checkCorrelated(value, known, {
      ...node,
      path: node.path === '' ? name : `${node.path}.${name}`,
      old: oldField(node, name),
    });
  const outcomes = Object.entries(map).flatMap(([name, value]) => {
    if (Object.hasOwn(properties, name)) return [check(name, value, properties[name] ?? {})];
    return typeof additionalProperties === 'object' ? [check(name, value, additionalProperties)] : [];
  });
  const missing = names.filter((name) => !Object.hasOwn(map, name));
  const errors = missing.map((name) => required(fieldOf({ ...node, path: `${node.path}.${name}` })));
  return merged(failed(...checkSize(map, schema, node)), ...outcomes, failed(...errors));
}

function checkSize(map: Record<string, unknown>, schema: StructuralSchema, node: Node): FieldError[] {
  const { minProperties, maxProperties } = schema;
  const count = Object.keys(map).length;
  const detail = `${subject(node)} should have at least ${minProperties ?? 0} properties`;
  return [
    ...(minProperties !== undefined && count < minProperties ? [invalid(fieldOf(node), count, detail)] : []),
    ...(maxProperties !== undefined && count > maxProperties
      ? [tooMany(fieldOf(node), count, maxProperties)]
      : []),
  ];
}
