import type { FieldError } from '../../api/validation/field-error.ts';
import { forbidden, notSupported } from '../../api/validation/field-error.ts';
import { invalidError } from '../http/errors.ts';

const MATCH = 'resourceVersionMatch';
const WITH_CONTINUE = forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided');

/** The options of a list, read from its query. Throws 422 (upstream: apis/meta/internalversion/validation ValidateListOptions). */
export function checkListOptions(query: URLSearchParams): void {
  const match = query.get(MATCH) ?? '';
  const version = query.get('resourceVersion') ?? '';
  const errors: FieldError[] = [];
  if (match !== '') {
    if (version === '')
      errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (query.get('continue')) errors.push(WITH_CONTINUE);
    if (match !== 'Exact' && match !== 'NotOlderThan')
      errors.push(notSupported(MATCH, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && version === '0')
      errors.push(forbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (query.has('sendInitialEvents'))
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  refuse(errors);
}

/** The options of a watch, likewise (upstream: validateWatchOptions). */
export function checkWatchOptions(query: URLSearchParams): void {
  const match = query.get(MATCH) ?? '';
  const errors: FieldError[] = [];
  const sends = query.has('sendInitialEvents');
  if (sends && match !== 'NotOlderThan')
    errors.push(forbidden(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  if (match !== '') {
    if (!sends)
      errors.push(
        forbidden(MATCH, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
      );
    if (match !== 'NotOlderThan') errors.push(notSupported(MATCH, match, ['NotOlderThan']));
    if (query.get('continue')) errors.push(WITH_CONTINUE);
  }
  refuse(errors);
}

function refuse(errors: FieldError[]): void {
  if (errors.length > 0)
    throw invalidError({ group: 'meta.k8s.io', kind: 'ListOptions', plural: '' }, '', errors);
}
