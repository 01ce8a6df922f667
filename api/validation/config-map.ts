import { byteLength, isConfigMapKey } from '../names.ts';
import type { ConfigMap, Secret } from '../types.ts';
import { complaints, nameIsSubdomain } from './checks.ts';
import { forbidden, invalid, required, tooLong } from './field-error.ts';
import type { FieldError } from './field-error.ts';
import { checkImmutable, validateCoreObjectMeta, validateCoreObjectMetaUpdate } from './object-meta.ts';

/** All values of a ConfigMap or Secret together. */
const dataLimitBytes = 1024 * 1024;

export function validateConfigMap(configMap: ConfigMap): FieldError[] {
  const { data = {}, binaryData = {} } = configMap;
  const texts = Object.values(data).reduce((total, value) => total + byteLength(value), 0);
  const sizeBytes = Object.values(binaryData).reduce((total, value) => total + decodedLength(value), texts);
  return [
    ...validateCoreObjectMeta(configMap, { namespaced: true, nameRule: nameIsSubdomain }),
    ...Object.keys(data).flatMap((key) => [
      ...complaints(`data[${key}]`, key, isConfigMapKey(key)),
      ...(Object.hasOwn(binaryData, key)
        ? [invalid(`data[${key}]`, key, 'duplicate of key present in binaryData')]
        : []),
    ]),
    ...Object.keys(binaryData).flatMap((key) => complaints(`binaryData[${key}]`, key, isConfigMapKey(key))),
    ...(sizeBytes > dataLimitBytes ? [tooLong('[]', dataLimitBytes)] : []),
  ];
}

export function validateConfigMapUpdate(configMap: ConfigMap, old: ConfigMap): FieldError[] {
  return [
    ...validateCoreObjectMetaUpdate(configMap, old),
    ...checkFrozen(configMap, old, ['data', 'binaryData']),
    ...validateConfigMap(configMap),
  ];
}

export function validateSecret(secret: Secret): FieldError[] {
  const data = secret.data ?? {};
  const sizeBytes = Object.values(data).reduce((total, value) => total + decodedLength(value), 0);
  return [
    ...validateCoreObjectMeta(secret, { namespaced: true, nameRule: nameIsSubdomain }),
    ...Object.keys(data).flatMap((key) => complaints(`data[${key}]`, key, isConfigMapKey(key))),
    ...(sizeBytes > dataLimitBytes ? [tooLong('data', dataLimitBytes)] : []),
    ...checkSecretType(secret, data),
  ];
}

export function validateSecretUpdate(secret: Secret, old: Secret): FieldError[] {
  return [
    ...validateCoreObjectMetaUpdate(secret, old),
    ...checkImmutable(secret.type, old.type, 'type'),
    ...checkFrozen(secret, old, ['data']),
    ...validateSecret(secret),
  ];
}

/** With `immutable: true` neither the data nor that field may change. */
function checkFrozen<T extends { immutable?: boolean }>(
  object: T,
  old: T,
  fields: (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return [];
  const message = 'field is immutable when `immutable` is set';
  return [
    ...(object.immutable === true ? [] : [forbidden('immutable', message)]),
    ...fields
      .filter((field) => !sameData(object[field], old[field]))
      .map((field) => forbidden(field, message)),
  ];
}

function sameData(data: unknown, old: unknown): boolean {
  const isEmpty = (value: unknown) => Object.keys((value as object | undefined) ?? {}).length === 0;
  return (isEmpty(data) && isEmpty(old)) || JSON.stringify(sorted(data)) === JSON.stringify(sorted(old));
}

function sorted(data: unknown): [string, unknown][] {
  return Object.entries((data as object | undefined) ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const accountAnnotation = 'kubernetes.io/service-account.name';

/** What a Secret of some type must have. */
function checkSecretType({ type, metadata }: Secret, data: Record<string, string>): FieldError[] {
  switch (type ?? '') {
    case 'kubernetes.io/service-account-token':
      return (metadata?.annotations?.[accountAnnotation] ?? '') === ''
        ? [required(`metadata.annotations[${accountAnnotation}]`)]
        : [];
    case 'kubernetes.io/dockercfg':
      return checkJson(data, '.dockercfg');
    case 'kubernetes.io/dockerconfigjson':
      return checkJson(data, '.dockerconfigjson');
    case 'kubernetes.io/basic-auth':
      return Object.hasOwn(data, 'username') || Object.hasOwn(data, 'password')
        ? []
        : [required('data[username]'), required('data[password]')];
    case 'kubernetes.io/ssh-auth':
      return (data['ssh-privatekey'] ?? '') === '' ? [required('data[ssh-privatekey]')] : [];
    case 'kubernetes.io/tls':
      return ['tls.crt', 'tls.key']
        .filter((key) => !Object.hasOwn(data, key))
        .map((key) => required(`data[${key}]`));
    default:
      return [];
  }
}

function checkJson(data: Record<string, string>, key: string): FieldError[] {
  const encoded = data[key];
  if (encoded === undefined) return [required(`data[${key}]`)];
  try {
    JSON.parse(Buffer.from(encoded, 'base64').toString());
    return [];
  } catch {
    // The parser's message would quote the secret.
    return [invalid(`data[${key}]`, '<secret contents redacted>', 'invalid character in JSON text')];
  }
}

function decodedLength(base64: string): number {
  return Buffer.byteLength(base64, 'base64');
}
