import { isLabelValue, isQualifiedName } from '../names.ts';
import { fieldErrorsText, invalid, notSupported } from '../validation/field-error.ts';
import type { FieldError } from '../validation/field-error.ts';

export type Operator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** One condition on one label. */
export interface Requirement {
  key: string;
  operator: Operator;
  values: string[];
}

/** Checks and makes a requirement. Throws an Error with the words of apimachinery pkg/labels/selector.go. */
export function requirement(key: string, operator: Operator, values: string[]): Requirement {
  const errors = [
    ...isQualifiedName(key)
      .slice(0, 1)
      .map(() => invalid('key', key, isQualifiedName(key).join('; '))),
    ...countErrors(operator, values),
    ...values.flatMap((value, index) => {
      const wrong = isLabelValue(value);
      return wrong.length === 0 ? [] : [invalid(`values[${index}][${key}]`, value, wrong.join('; '))];
    }),
  ];
  if (errors.length > 0) throw new Error(fieldErrorsText(errors));
  return { key, operator, values };
}

function countErrors(operator: Operator, values: string[]): FieldError[] {
  const wrong = (detail: string) => [invalid('values', values, detail)];
  switch (operator) {
    case 'in':
    case 'notin':
      return values.length === 0 ? wrong("for 'in', 'notin' operators, values set can't be empty") : [];
    case '=':
    case '==':
    case '!=':
      return values.length === 1 ? [] : wrong('exact-match compatibility requires one single value');
    case 'exists':
    case '!':
      return values.length === 0 ? [] : wrong('values set must be empty for exists and does not exist');
    case 'gt':
    case 'lt':
      return comparisonErrors(values);
    default:
      return [
        notSupported('operator', operator, ['in', 'notin', '=', '==', '!=', 'gt', 'lt', 'exists', '!']),
      ];
  }
}

function comparisonErrors(values: string[]): FieldError[] {
  const count =
    values.length === 1
      ? []
      : [invalid('values', values, "for 'Gt', 'Lt' operators, exactly one value is required")];
  const integers = values.flatMap((value, index) =>
    integer(value) === undefined
      ? [invalid(`values[${index}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer")]
      : [],
  );
  return [...count, ...integers];
}

/** Whether labels satisfy a requirement. */
export function satisfies(
  labels: Readonly<Record<string, string>>,
  { key, operator, values }: Requirement,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt':
      return compares(value, operator, values[0]);
  }
}

function compares(value: string | undefined, operator: 'gt' | 'lt', bound: string | undefined): boolean {
  const [left, right] = [integer(value), integer(bound)];
  if (left === undefined || right === undefined) return false;
  return operator === 'gt' ? left > right : left < right;
}

/** A 64-bit integer as Go's strconv.ParseInt reads it. */
function integer(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return value === BigInt.asIntN(64, value) ? value : undefined;
}

/** The requirement as a selector's text writes it. */
export function requirementText({ key, operator, values }: Requirement): string {
  const list = values.toSorted().join(',');
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${list})`;
    case 'gt':
      return `${key}>${list}`;
    case 'lt':
      return `${key}<${list}`;
    case '=':
    case '==':
    case '!=':
      return `${key}${operator}${list}`;
  }
}
