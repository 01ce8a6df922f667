import { quote } from './go-format.ts';
import type { Status, StatusCause, StatusDetails } from './types.ts';
import { fieldErrorsText } from './validation/field-error.ts';
import type { FieldError } from './validation/field-error.ts';

/** A failure of the Kubernetes API: the Status object that a server answers, as an error. */
export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? 'unknown', options);
    this.name = 'StatusError';
    this.status = status;
  }
}

/** A resource as error messages name it: `pods`, `deployments.apps`. */
export interface GroupResource {
  group: string;
  resource: string;
}

/** A kind as error messages name it: `Pod`, `Deployment.apps`. */
export interface GroupKind {
  group: string;
  kind: string;
}

/** 404: there is no such object. The words of all of these are those of apimachinery pkg/api/errors/errors.go. */
export function notFound(resource: GroupResource, name: string): StatusError {
  return failure(
    404,
    'NotFound',
    `${qualified(resource)} ${quote(name)} not found`,
    detailsOf(resource, name),
  );
}

/** 409: an object of this name exists. */
export function alreadyExists(resource: GroupResource, name: string): StatusError {
  const message = `${qualified(resource)} ${quote(name)} already exists`;
  return failure(409, 'AlreadyExists', message, detailsOf(resource, name));
}

/** 409: `generateName` met a name in use, again and again. */
export function generateNameConflict(resource: GroupResource, name: string): StatusError {
  const message = `${qualified(resource)} ${quote(name)} already exists, the server was not able to generate a unique name for the object`;
  return failure(409, 'AlreadyExists', message, { ...detailsOf(resource, name), retryAfterSeconds: 1 });
}

/** 409: the change rests on an old state, or on a precondition that doesn't hold. */
export function conflict(resource: GroupResource, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} ${quote(name)}: ${why}`;
  return failure(409, 'Conflict', message, detailsOf(resource, name));
}

/** 403; without a resource for paths that are none. */
export function forbidden(resource: GroupResource | undefined, name: string, why: string): StatusError {
  const what = resource === undefined ? '' : qualified(resource) + (name === '' ? '' : ` ${quote(name)}`);
  const message = what === '' ? `forbidden: ${why}` : `${what} is forbidden: ${why}`;
  return failure(403, 'Forbidden', message, resource === undefined ? {} : detailsOf(resource, name));
}

/** 422: the object is well-formed, but fields of it are not valid. */
export function invalid(kind: GroupKind, name: string, errors: FieldError[]): StatusError {
  const named = `${kind.kind}${kind.group === '' ? '' : `.${kind.group}`} ${quote(name)} is invalid`;
  const message = errors.length === 0 ? named : `${named}: ${fieldErrorsText(errors)}`;
  const causes: StatusCause[] = errors.map(({ reason, message: text, field }) => ({
    reason,
    message: text,
    field,
  }));
  const group = kind.group === '' ? {} : { group: kind.group };
  return failure(422, 'Invalid', message, {
    ...(name !== '' && { name }),
    ...group,
    ...(kind.kind !== '' && { kind: kind.kind }),
    causes,
  });
}

/** 400: the request can't be understood. */
export function badRequest(message: string): StatusError {
  return failure(400, 'BadRequest', message);
}

/** 401: no or wrong credentials. */
export function unauthorized(message = 'Unauthorized'): StatusError {
  return failure(401, 'Unauthorized', message);
}

/** 405: this verb is not for this resource. */
export function methodNotSupported(resource: GroupResource, action: string): StatusError {
  const message = `${action} is not supported on resources of kind ${quote(qualified(resource))}`;
  return failure(405, 'MethodNotAllowed', message, detailsOf(resource, ''));
}

/** 410: the resourceVersion or the continue token is too old. */
export function expired(message: string): StatusError {
  return failure(410, 'Expired', message);
}

/** 413: the body, or a part of it, is larger than the server takes. */
export function entityTooLarge(message: string): StatusError {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
}

/** 500. */
export function internalError(message: string): StatusError {
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** 503. */
export function serviceUnavailable(message: string): StatusError {
  return failure(503, 'ServiceUnavailable', message);
}

/** The group resource as messages write it. */
export function qualified({ group, resource }: GroupResource): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function detailsOf({ group, resource }: GroupResource, name: string): StatusDetails {
  return { ...(name !== '' && { name }), ...(group !== '' && { group }), kind: resource };
}

function failure(code: number, reason: string, message: string, details?: StatusDetails): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details !== undefined && { details }),
    code,
  });
}
