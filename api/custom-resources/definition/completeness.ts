import type { FieldError } from '../../validation/field-error.ts';
import { required } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';

/** Checks that what allOf, anyOf, oneOf and not restrict is specified outside of them, too. */
export const checkCompleteness = (schema: StructuralSchema, path: string): FieldError[] =>
  checkParts(schema, { schema, path, at: path });

/** The schema outside of the restrictions, where it stands, and where the restriction stands. */
interface Counterpart {
  schema: StructuralSchema | undefined;
  path: string;
  at: string;
}

function checkParts(restriction: StructuralSchema, { schema, path, at }: Counterpart): FieldError[] {
  const { allOf = [], anyOf = [], oneOf = [], not } = restriction;
  const many = (field: string, list: StructuralSchema[]) =>
    list.flatMap((nested, index) =>
      checkRestriction(nested, { schema, path, at: `${at}.${field}[${index}]` }),
    );
  return [
    ...(not === undefined ? [] : checkRestriction(not, { schema, path, at: `${at}.not` })),
    ...many('allOf', allOf),
    ...many('anyOf', anyOf),
    ...many('oneOf', oneOf),
  ];
}

function checkRestriction(restriction: StructuralSchema, counterpart: Counterpart): FieldError[] {
  const { schema, path, at } = counterpart;
  if (schema === undefined) return [required(path, `because it is defined in ${at}`)];
  const { items, properties = {} } = restriction;
  return [
    ...checkParts(restriction, counterpart),
    ...(items === undefined
      ? []
      : checkRestriction(items, { schema: schema.items, path: `${path}.items`, at: `${at}.items` })),
    ...Object.entries(properties).flatMap(([name, property]) => {
      const below = { schema: schema.properties?.[name], path: `${path}.properties[${name}]` };
      return checkRestriction(property, { ...below, at: `${at}.properties[${name}]` });
    }),
  ];
}
