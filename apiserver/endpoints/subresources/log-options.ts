import { invalid as invalidObject } from '../../../api/status.ts';
import { notNegative } from '../../../api/validation/checks.ts';
import { forbidden, invalid } from '../../../api/validation/field-error.ts';
import type { FieldError } from '../../../api/validation/field-error.ts';
import { badRequest } from '../../http/errors.ts';

/** Checks what a client asks of a log. Throws 400 for what is no number, 422 for values that mean nothing (upstream: ValidatePodLogOptions). */
export function checkLogOptions(name: string, query: URLSearchParams): void {
  const tailLines = integerOf(query, 'tailLines');
  const limitBytes = integerOf(query, 'limitBytes');
  const sinceSeconds = integerOf(query, 'sinceSeconds');
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0) errors.push(invalid('tailLines', tailLines, notNegative));
  if (limitBytes !== undefined && limitBytes < 1) errors.push(invalid('limitBytes', limitBytes, POSITIVE));
  if (sinceSeconds !== undefined && query.has('sinceTime')) errors.push(forbidden('', ONE_SINCE));
  else if (sinceSeconds !== undefined && sinceSeconds < 1)
    errors.push(invalid('sinceSeconds', sinceSeconds, POSITIVE));
  if (errors.length > 0) throw invalidObject({ group: '', kind: 'PodLogOptions' }, name, errors);
}

const POSITIVE = 'must be greater than 0';
const ONE_SINCE = 'at most one of `sinceTime` or `sinceSeconds` may be specified';

function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^[-+]?\d+$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}
