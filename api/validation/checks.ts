import { parseLooseIp } from '../ip-address.ts';
import { isDns1035Label, isDns1123Label, isDns1123Subdomain, isQualifiedName } from '../names.ts';
import { compareQuantities } from '../quantity.ts';
import { invalid, notSupported, required } from './field-error.ts';
import type { FieldError } from './field-error.ts';

/** What a name must be; `isPrefix` says that something will be appended, so that a dash may stand at its end. */
export type NameRule = (name: string, isPrefix?: boolean) => string[];

export const nameIsSubdomain: NameRule = (name, isPrefix = false) =>
  isDns1123Subdomain(isPrefix ? maskDash(name) : name);
export const nameIsLabel: NameRule = (name, isPrefix = false) =>
  isDns1123Label(isPrefix ? maskDash(name) : name);
export const nameIsLabel1035: NameRule = (name, isPrefix = false) =>
  isDns1035Label(isPrefix ? maskDash(name) : name);

/** Anything that can be a part of a path: the least that every object's name must be (apimachinery pkg/api/validate/content). */
export const nameIsPathSegment: NameRule = (name, isPrefix = false) =>
  !isPrefix && (name === '.' || name === '..')
    ? [`may not be '${name}'`]
    : ['/', '%'].filter((text) => name.includes(text)).map((text) => `may not contain '${text}'`);

function maskDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}

/**
 * An IP address that is the same to all who read it; one of the `old` may stay as it was (upstream: IsValidIPForLegacyField
 * with StrictIPCIDRValidation).
 */
export function checkIp(address: string, field: string, old: readonly string[] = []): FieldError[] {
  if (old.includes(address)) return [];
  const ip = parseLooseIp(address);
  if (ip === undefined)
    return [invalid(field, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')];
  if (ip.hasLeadingZeros) return [invalid(field, address, 'must not have leading 0s')];
  return ip.isMapped ? [invalid(field, address, 'must not be an IPv4-mapped IPv6 address')] : [];
}

/** One Invalid error for each complaint. */
export function complaints(field: string, value: unknown, wrong: string[]): FieldError[] {
  return wrong.map((detail) => invalid(field, value, detail));
}

export function checkLabel(value: string, field: string): FieldError[] {
  return complaints(field, value, isDns1123Label(value));
}

export function checkSubdomain(value: string, field: string): FieldError[] {
  return complaints(field, value, isDns1123Subdomain(value));
}

export function checkQualifiedName(value: string, field: string): FieldError[] {
  return complaints(field, value, isQualifiedName(value));
}

/** A text that must not be empty. */
export function checkPresent(value: string | undefined, field: string): FieldError[] {
  return value === undefined || value === '' ? [required(field)] : [];
}

/** A required name of some form. */
export function checkName(
  value: string | undefined,
  field: string,
  rule: (name: string) => string[],
): FieldError[] {
  if (value === undefined || value === '') return [required(field)];
  return complaints(field, value, rule(value));
}

/** One of some words; absent is fine. */
export function checkEnum(
  value: string | undefined,
  field: string,
  supported: readonly string[],
): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

/** One of some words; absent or empty is not fine. */
export function checkRequiredEnum(
  value: string | undefined,
  field: string,
  supported: readonly string[],
): FieldError[] {
  return value === undefined || value === '' ? [required(field)] : checkEnum(value, field, supported);
}

export const notNegative = 'must be greater than or equal to 0';

export function checkNotNegative(value: number | undefined, field: string): FieldError[] {
  return (value ?? 0) < 0 ? [invalid(field, value, notNegative)] : [];
}

export function checkQuantityNotNegative(value: string, field: string): FieldError[] {
  return compareQuantities(value, '0') < 0 ? [invalid(field, value, notNegative)] : [];
}

/** A relative path without `..`. */
export function checkDescendingPath(path: string, field: string): FieldError[] {
  const absolute = path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : [];
  return [...absolute, ...checkNoBacksteps(path, field)];
}

export function checkNoBacksteps(path: string, field: string): FieldError[] {
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : [];
}

/** A relative path without `..`, whose first name doesn't begin with `..` either: those names are the atomic writer's. */
export function checkUnreservedPath(path: string, field: string): FieldError[] {
  const reserved = path.startsWith('..') && path !== '..' && !path.startsWith('../');
  const errors = checkDescendingPath(path, field);
  // A bare `..` gets both errors, as upstream.
  return reserved || path === '..' ? [...errors, invalid(field, path, "must not start with '..'")] : errors;
}

export function checkFileMode(mode: number | undefined, field: string): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}
