import { StatusError } from '../api/status.ts';

const hasReason = (error: unknown, reason: string): boolean =>
  error instanceof StatusError && error.status.reason === reason;

/** The object or the resource isn't there (404). */
export const isNotFound = (error: unknown): boolean => hasReason(error, 'NotFound');
/** An object of this name is there already (409). */
export const isAlreadyExists = (error: unknown): boolean => hasReason(error, 'AlreadyExists');
/** Someone wrote in between: the resourceVersion or uid is no longer the present one (409). */
export const isConflict = (error: unknown): boolean => hasReason(error, 'Conflict');
export const isForbidden = (error: unknown): boolean => hasReason(error, 'Forbidden');

/** The resourceVersion or continue token is too old; list again (410, reasons Expired and Gone). */
export const isExpired = (error: unknown): boolean =>
  error instanceof StatusError && (error.status.code === 410 || hasReason(error, 'Expired'));

/** The namespace is going away, so that nothing new may be made in it (cause NamespaceTerminating). */
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof StatusError &&
  (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating');
