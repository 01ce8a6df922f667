import { invalidError } from '../http/errors.ts';
import { queryFlag } from '../http/query-values.ts';

/** The query parameters that all writes share. */
export interface WriteOptions {
  dryRun: boolean;
  fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  fieldManager: string;
  force: boolean;
  /** Set for server-side apply, which keeps managedFields by itself. */
  applied?: boolean;
}

const FIELD_VALIDATIONS = ['Ignore', 'Warn', 'Strict'] as const;
const FIELD_MANAGER_LIMIT = 128;

/** Reads them from the query. Throws 422 for values that are none of theirs. */
export function writeOptions(query: URLSearchParams, optionsKind: string, userAgent = ''): WriteOptions {
  return {
    dryRun: readDryRun(query.getAll('dryRun'), optionsKind),
    fieldValidation: readFieldValidation(query.get('fieldValidation') ?? '', optionsKind),
    fieldManager: readFieldManager(query.get('fieldManager') ?? '', optionsKind) || prefixOf(userAgent),
    force: queryFlag(query, 'force'),
  };
}

/** Upstream names a manager by the user agent's first word when the query doesn't. */
const prefixOf = (userAgent: string): string =>
  userAgent.split('/', 1)[0]?.slice(0, FIELD_MANAGER_LIMIT) ?? '';

/** The values of `dryRun`: none, or All. */
export function readDryRun(values: string[], optionsKind: string): boolean {
  const other = values.find((value) => value !== 'All' && value !== '');
  if (other !== undefined)
    throw unsupported({ optionsKind, field: 'dryRun', value: other, supported: ['All'] });
  return values.includes('All');
}

function readFieldValidation(value: string, optionsKind: string): WriteOptions['fieldValidation'] {
  if (value === '') return 'Warn';
  const known = FIELD_VALIDATIONS.find((name) => name === value);
  if (known === undefined) {
    throw unsupported({
      optionsKind,
      field: 'fieldValidation',
      value,
      supported: ['', ...FIELD_VALIDATIONS],
    });
  }
  return known;
}

function readFieldManager(value: string, optionsKind: string): string {
  if (value.length <= FIELD_MANAGER_LIMIT) return value;
  const message = `Too long: may not be more than ${FIELD_MANAGER_LIMIT} bytes`;
  throw invalidError(kindOf(optionsKind), '', [
    { field: 'fieldManager', reason: 'FieldValueTooLong', message },
  ]);
}

const kindOf = (kind: string) => ({ group: 'meta.k8s.io', kind, plural: kind });

function unsupported(options: { optionsKind: string; field: string; value: string; supported: string[] }) {
  const { optionsKind, field, value, supported } = options;
  const list = supported.map((name) => JSON.stringify(name)).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`;
  return invalidError(kindOf(optionsKind), '', [{ field, reason: 'FieldValueNotSupported', message }]);
}
