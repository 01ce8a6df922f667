import { isQualifiedName } from '../../names.ts';
import { canonicalQuantity } from '../../quantity.ts';
import type { ObjectFieldSelector, ResourceFieldSelector } from '../../types.ts';
import { complaints } from '../checks.ts';
import { invalid, notSupported, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';

/** Fields that an environment variable may take. */
export const environmentFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

/** Fields that a downward API file may hold. */
export const volumeFields = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

/** Names that a path may have at all (pkg/apis/core/pods/helpers.go); `spec.host` is an old one. */
const knownFields = new Set([
  ...environmentFields,
  ...volumeFields,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'spec.host',
]);

const resources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** Checks a `fieldRef`. `allowed` are the fields that this place may take. */
export function validateFieldRef(
  { apiVersion = '', fieldPath = '' }: ObjectFieldSelector,
  allowed: string[],
  path: string,
): FieldError[] {
  if (apiVersion === '') return [required(`${path}.apiVersion`)];
  if (fieldPath === '') return [required(`${path}.fieldPath`)];
  const [, base = fieldPath, subscript] = /^(.*)\['(.*)'\]$/s.exec(fieldPath) ?? [];
  const unknown = unknownField({ apiVersion, fieldPath, base, subscript });
  if (unknown !== undefined)
    return [invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${unknown}`)];
  if (subscript !== undefined) {
    const key = base === 'metadata.annotations' ? subscript.toLowerCase() : subscript;
    return complaints(path, key, isQualifiedName(key));
  }
  return allowed.includes(base) ? [] : [notSupported(`${path}.fieldPath`, base, allowed.toSorted())];
}

function unknownField(options: {
  apiVersion: string;
  fieldPath: string;
  base: string;
  subscript: string | undefined;
}): string | undefined {
  const { apiVersion, fieldPath, base, subscript } = options;
  if (apiVersion !== 'v1') return `unsupported pod version: ${apiVersion}`;
  if (subscript !== undefined)
    return ['metadata.annotations', 'metadata.labels'].includes(base)
      ? undefined
      : `field label does not support subscript: ${fieldPath}`;
  return knownFields.has(base) ? undefined : `field label not supported: ${base}`;
}

/** Checks a `resourceFieldRef`; in a volume it must name a container. */
export function validateResourceFieldRef(
  { containerName = '', resource = '', divisor = '0' }: ResourceFieldSelector,
  path: string,
  { inVolume }: { inVolume: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  const isHugePages = /^(requests|limits)\.hugepages-/.test(resource);
  if (inVolume && containerName === '') errors.push(required(`${path}.containerName`));
  else if (resource === '') errors.push(required(`${path}.resource`));
  else if (!resources.includes(resource) && !isHugePages)
    errors.push(notSupported(`${path}.resource`, resource, resources));
  return [...errors, ...validateDivisor(resource, divisor, path)];
}

const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

const divisors: [pattern: RegExp, allowed: string[], words: string][] = [
  [/^(limits|requests)\.cpu$/, ['1m', '1'], '1m and 1 are supported with the cpu resource'],
  [
    /^(limits|requests)\.memory$/,
    byteDivisors,
    `${byteDivisors.join(', ')} are supported with the memory resource`,
  ],
  [
    /^(limits|requests)\.ephemeral-storage$/,
    byteDivisors,
    `${byteDivisors.join(', ')} are supported with the local ephemeral storage resource`,
  ],
  [
    /^(limits|requests)\.hugepages-/,
    byteDivisors,
    `${byteDivisors.join(', ')} are supported with the hugepages resource`,
  ],
];

function validateDivisor(resource: string, divisor: string, path: string): FieldError[] {
  const canonical = canonicalQuantity(divisor);
  if (canonical === '0') return [];
  return divisors
    .filter(([pattern, allowed]) => pattern.test(resource) && !allowed.includes(canonical))
    .map(([, , words]) => invalid(`${path}.divisor`, resource, `only divisor's values ${words}`));
}
