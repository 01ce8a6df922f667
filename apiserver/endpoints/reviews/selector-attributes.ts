import { escapeValue, parseFieldSelector } from '../../../api/selectors/fields.ts';
import { parseRequirements } from '../../../api/selectors/parse-labels.ts';
import { requirement, requirementText } from '../../../api/selectors/requirement.ts';
import type { Operator } from '../../../api/selectors/requirement.ts';
import type {
  FieldSelectorRequirement,
  LabelSelectorRequirement,
  ResourceAttributes,
} from '../../../api/types.ts';

/**
 * The field selector of a review as text, and an error for each selector that could not be read. What is left out of one asks for more,
 * never for less (upstream: registry/authorization/util ResourceAttributesFrom and BuildEvaluationError).
 */
export function readSelectors({ fieldSelector, labelSelector }: ResourceAttributes): {
  fieldSelector: string;
  errors: string[];
} {
  const fields = read(fieldSelector, { text: parseFieldSelector, term: fieldTerm });
  const labels = read(labelSelector, { text: parseRequirements, term: labelTerm });
  return {
    fieldSelector: fields.terms.join(','),
    errors: [...errorOf('fieldSelector', fields), ...errorOf('labelSelector', labels)],
  };
}

interface Selector<Requirement> {
  rawSelector?: string;
  requirements?: Requirement[];
}

interface Reading {
  terms: string[];
  isBroken: boolean;
}

/** Takes the requirements, else the text; both readers throw at what they cannot read. */
function read<Requirement>(
  { rawSelector = '', requirements = [] }: Selector<Requirement> = {},
  readers: { text(selector: string): unknown; term(part: Requirement): string },
): Reading {
  if (requirements.length > 0) return readAll(requirements, (part) => readers.term(part));
  return readAll(rawSelector === '' ? [] : [rawSelector], (text) => {
    readers.text(text);
    return text;
  });
}

function readAll<Part>(parts: Part[], readOne: (part: Part) => string): Reading {
  const terms: string[] = [];
  for (const part of parts) {
    try {
      terms.push(readOne(part));
    } catch {
      // The answer tells that something could not be read, not what.
    }
  }
  return { terms, isBroken: terms.length < parts.length };
}

function errorOf(field: string, { terms, isBroken }: Reading): string[] {
  if (!isBroken) return [];
  return [
    `spec.resourceAttributes.${field} ${terms.length > 0 ? 'partially ' : ''}ignored due to parse error`,
  ];
}

const FIELD_OPERATORS = new Map([
  ['In', '='],
  ['NotIn', '!='],
]);

function fieldTerm({ key, operator, values = [] }: FieldSelectorRequirement): string {
  const sign = FIELD_OPERATORS.get(operator);
  const [value, ...others] = values;
  // A key with a character of the grammar would be read as another field.
  if (sign === undefined || value === undefined || others.length > 0 || /[\\,=!]/.test(key))
    throw new Error(`no term of a field selector: ${key} ${operator}`);
  return `${key}${sign}${escapeValue(value)}`;
}

const LABEL_OPERATORS = new Map<string, Operator>([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
]);

function labelTerm({ key, operator, values = [] }: LabelSelectorRequirement): string {
  const known = LABEL_OPERATORS.get(operator);
  if (known === undefined) throw new Error(`no operator of a label selector: ${operator}`);
  return requirementText(requirement(key, known, values));
}
