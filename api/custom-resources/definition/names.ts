import { isDns1035Label } from '../../names.ts';
import type { CustomResourceDefinitionNames } from '../../types.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { invalid, required } from '../../validation/field-error.ts';

/** The names that a definition must have. */
export const checkRequiredNames = (
  names: Partial<CustomResourceDefinitionNames>,
  path: string,
): FieldError[] =>
  (['plural', 'singular', 'kind', 'listKind'] as const)
    .filter((name) => !names[name])
    .map((name) => required(`${path}.${name}`));

/** The form of names. */
export function checkNames(names: Partial<CustomResourceDefinitionNames>, path: string): FieldError[] {
  const { plural = '', singular = '', kind = '', listKind = '', shortNames = [], categories = [] } = names;
  return [
    ...checkLabel(plural, `${path}.plural`),
    ...checkLabel(singular, `${path}.singular`),
    ...checkKind(kind, `${path}.kind`),
    ...checkKind(listKind, `${path}.listKind`),
    ...shortNames.flatMap((name, index) => checkListed(name, `${path}.shortNames[${index}]`)),
    ...(kind !== '' && kind === listKind
      ? [invalid(`${path}.listKind`, listKind, 'kind and listKind may not be the same')]
      : []),
    ...categories.flatMap((name, index) => checkListed(name, `${path}.categories[${index}]`)),
  ];
}

const checkLabel = (value: string, field: string): FieldError[] =>
  value === '' ? [] : checkListed(value, field);

function checkListed(value: string, field: string): FieldError[] {
  const wrong = isDns1035Label(value);
  return wrong.length === 0 ? [] : [invalid(field, value, wrong.join(','))];
}

function checkKind(value: string, field: string): FieldError[] {
  const wrong = value === '' ? [] : isDns1035Label(value.toLowerCase());
  if (wrong.length === 0) return [];
  return [invalid(field, value, `may have mixed case, but should otherwise match: ${wrong.join(',')}`)];
}
