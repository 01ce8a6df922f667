interface Term {
  field: string;
  operator: '=' | '!=';
  value: string;
}

/** Conditions on fields, all of which must hold. */
export interface FieldSelectorMatcher {
  /** The fields that it asks about. */
  fields: string[];
  /** The value that a field must have exactly, when the selector says so. */
  requires(field: string): string | undefined;
  /** Takes the selectable fields of an object; one that is absent counts as empty. */
  matches(fields: Readonly<Record<string, string>>): boolean;
  toString(): string;
}

/**
 * Reads a field selector such as `metadata.name=web,spec.nodeName!=`. `\\`, `\,` and `\=` stand for those characters in a
 * value. Throws an Error with the words of apimachinery pkg/fields/selector.go.
 */
export function parseFieldSelector(text: string): FieldSelectorMatcher {
  const terms = splitTerms(text)
    .toSorted()
    .filter((term) => term !== '')
    .map((term) => parseTerm(term, text));
  return {
    fields: terms.map(({ field }) => field),
    requires: (field) => terms.find((term) => term.field === field && term.operator === '=')?.value,
    matches: (fields) =>
      terms.every(({ field, operator, value }) => ((fields[field] ?? '') === value) === (operator === '=')),
    toString: () =>
      terms.map(({ field, operator, value }) => field + operator + escapeValue(value)).join(','),
  };
}

/** A value as a field selector's text must write it. */
export function escapeValue(value: string): string {
  return value.replaceAll(/[\\,=]/g, (character) => `\\${character}`);
}

function splitTerms(text: string): string[] {
  const terms = [''];
  for (const [piece] of text.matchAll(/\\[^]|[^]/g)) {
    if (piece === ',') terms.push('');
    else terms[terms.length - 1] += piece;
  }
  return terms;
}

function parseTerm(term: string, selector: string): Term {
  const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
  if (match === null) throw new Error(`invalid selector: '${selector}'; can't understand '${term}'`);
  const [, field = '', operator, value = ''] = match;
  return { field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(value) };
}

function unescapeValue(value: string): string {
  return value.replaceAll(/\\[^]?|[,=]/g, (piece) => {
    if (piece === ',' || piece === '=')
      throw new Error(`invalid field selector: unescaped character in value: ${piece.charCodeAt(0)}`);
    if (!['\\\\', '\\,', '\\='].includes(piece))
      throw new Error(`invalid field selector: invalid escape sequence: ${piece}`);
    return piece.slice(1);
  });
}
