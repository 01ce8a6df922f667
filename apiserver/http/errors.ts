import * as status from '../../api/status.ts';
import { StatusError } from '../../api/status.ts';
import type { Status } from '../../api/types.ts';
import type { FieldError } from '../../api/validation/field-error.ts';
import type { Kind } from '../registry/kind.ts';

export { badRequest, entityTooLarge, internalError, serviceUnavailable } from '../../api/status.ts';

type Named = Pick<Kind, 'group' | 'plural' | 'kind'>;

const resourceOf = ({ group, plural }: Named) => ({ group, resource: plural });

/** The errors of api/status.ts for a record of the table of kinds, and those that only a server has. */
export const notFoundError = (kind: Named, name: string): StatusError =>
  status.notFound(resourceOf(kind), name);

/** Tells of a `present` object that it is on its way out. */
export function existsError(
  kind: Named,
  name: string,
  present?: { metadata: { deletionTimestamp?: string } },
): StatusError {
  const error = status.alreadyExists(resourceOf(kind), name);
  if (present?.metadata.deletionTimestamp === undefined) return error;
  return new StatusError({ ...error.status, message: `object is being deleted: ${error.message}` });
}

const MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export const conflictError = (kind: Named, name: string, why = MODIFIED): StatusError =>
  status.conflict(resourceOf(kind), name, why);

export const invalidError = (kind: Named, name: string, errors: FieldError[]): StatusError =>
  status.invalid({ group: kind.group, kind: kind.kind }, name, errors);

export const forbiddenError = (kind: Named | undefined, name: string, why: string): StatusError =>
  status.forbidden(kind === undefined ? undefined : resourceOf(kind), name, why);

export const methodNotSupported = (kind: Named, verb: string): StatusError =>
  status.methodNotSupported(resourceOf(kind), verb);

export const unauthorizedError = (): StatusError => status.unauthorized();

/** Any other failure. */
export function statusError(options: {
  code: number;
  reason: string;
  message: string;
  details?: Status['details'];
}): StatusError {
  const { details, ...rest } = options;
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    ...rest,
    ...(details !== undefined && { details }),
  });
}

/** 404 for a path or resource that is not served. */
export const unknownPathError = (): StatusError =>
  statusError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  });

export const methodNotAllowed = (): StatusError =>
  statusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  });

const READABLE = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

const WRITABLE = ['application/json', 'application/yaml'];

/** 406: no clause of Accept can be served. Clients that offer protobuf first fall back to JSON. */
export const notAcceptable = (accepted = WRITABLE): StatusError =>
  statusError({
    code: 406,
    reason: 'NotAcceptable',
    message: `only the following media types are accepted: ${accepted.join(', ')}`,
  });

export const unsupportedMediaType = (accepted = READABLE): StatusError =>
  statusError({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  });

/** 410 for a watch from before the history. */
export const expiredWatch = (asked: number, oldest: number): StatusError =>
  status.expired(`too old resource version: ${asked} (${oldest})`);

/** 410 for a page whose revision has been compacted; `token` gives the rest of the newest state, for who doesn't mind. */
export function expiredContinue(token: string): StatusError {
  const error = status.expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  error.status.metadata = { continue: token };
  return error;
}

/** 410 for an exact resourceVersion that has been compacted. */
export const expiredList = (): StatusError =>
  status.expired('The resourceVersion for the provided list is too old.');

/** 504 for a resourceVersion that the server has not reached yet. */
export const tooLargeResourceVersion = (asked: number, current: number): StatusError =>
  statusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  });
