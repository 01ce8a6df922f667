import { isQualifiedName } from '../names.ts';
import { canonicalQuantity, compareQuantities, parseQuantity, quantityMilliValue } from '../quantity.ts';
import type { CoreV1ResourceClaim as ResourceClaim, ResourceRequirements } from '../types.ts';
import { checkLabel, checkQuantityNotNegative, complaints } from './checks.ts';
import { duplicate, forbidden, invalid, notFoundField, notSupported, required } from './field-error.ts';
import type { FieldError } from './field-error.ts';

type NameCheck = (name: string, path: string) => FieldError[];

/** Checks what a container asks for. `claimNames` are the names in the Pod's resourceClaims. */
export function validateContainerResources(
  requirements: ResourceRequirements | undefined,
  path: string,
  claimNames: Set<string> = new Set(),
): FieldError[] {
  return validateRequirements(requirements ?? {}, path, checkContainerResourceName, claimNames);
}

/** Checks what a Pod as a whole asks for. */
export function validatePodLevelResources(requirements: ResourceRequirements, path: string): FieldError[] {
  return validateRequirements(requirements, path, checkPodResourceName, new Set());
}

function validateRequirements(
  { limits = {}, requests = {}, claims = [] }: ResourceRequirements,
  path: string,
  checkName: NameCheck,
  claimNames: Set<string>,
): FieldError[] {
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  const bareHugePages = names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory');
  return [
    ...Object.entries(limits).flatMap(([name, amount]) =>
      checkAmount(name, amount, `${path}.limits[${name}]`, checkName),
    ),
    ...Object.entries(requests).flatMap(([name, amount]) => [
      ...checkAmount(name, amount, `${path}.requests[${name}]`, checkName),
      ...checkAgainstLimit({ name, amount, limit: limits[name], path }),
    ]),
    ...(bareHugePages ? [forbidden(path, 'HugePages require cpu or memory')] : []),
    ...validateClaims(claims, `${path}.claims`, claimNames),
  ];
}

function checkAmount(name: string, amount: string, path: string, checkName: NameCheck): FieldError[] {
  return [
    ...checkName(name, path),
    ...checkResourceQuantity(name, amount, path),
    ...checkHugePages(name, amount, path),
  ];
}

function checkAgainstLimit(options: {
  name: string;
  amount: string;
  limit: string | undefined;
  path: string;
}): FieldError[] {
  const { name, amount, limit, path } = options;
  const fixed = !mayOvercommit(name);
  if (limit === undefined)
    return fixed ? [required(`${path}.limits`, 'Limit must be set for non overcommitable resources')] : [];
  const difference = compareQuantities(amount, limit);
  const shown = canonicalQuantity(amount);
  const wanted = `${name} limit of ${canonicalQuantity(limit)}`;
  if (fixed && difference !== 0) return [invalid(`${path}.requests`, shown, `must be equal to ${wanted}`)];
  return difference > 0
    ? [invalid(`${path}.requests`, shown, `must be less than or equal to ${wanted}`)]
    : [];
}

/** An amount must not be negative; of what comes in pieces only whole ones. */
export function checkResourceQuantity(name: string, amount: string, path: string): FieldError[] {
  const isWhole = quantityMilliValue(amount) % 1000 === 0;
  return [
    ...checkQuantityNotNegative(amount, path),
    ...(comesInPieces(name) && !isWhole ? [invalid(path, amount, 'must be an integer')] : []),
  ];
}

function checkHugePages(name: string, amount: string, path: string): FieldError[] {
  if (!isHugePages(name)) return [];
  const size = parseQuantity(name.slice('hugepages-'.length)).nano;
  const wanted = parseQuantity(amount).nano;
  if (size > 0n && wanted >= 0n && wanted % size === 0n) return [];
  const shown = canonicalQuantity(amount);
  return [invalid(path, shown, `${shown} is not positive integer multiple of ${name}`)];
}

const native = ['cpu', 'memory', 'ephemeral-storage'];
const quotaNames = [
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'services.nodeports',
  'services.loadbalancers',
];

function isHugePages(name: string): boolean {
  return /^hugepages-(\d+(\.\d+)?)([KMGTPE]i?|k)?$/.test(name);
}

/** A device or other resource of a vendor: `example.com/gpu`. */
function isExtendedResource(name: string): boolean {
  if (!name.includes('/') || isNative(name) || name.startsWith('requests.')) return false;
  return isQualifiedName(`requests.${name}`).length === 0;
}

function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

/** Limits may be more than a node has for these; of others each unit is given to one container. */
export function mayOvercommit(name: string): boolean {
  return isNative(name) && !isHugePages(name);
}

function comesInPieces(name: string): boolean {
  return isExtendedResource(name) || (quotaNames.includes(name) && !/cpu|memory|storage/.test(name));
}

/** A name of the system, or a qualified one. */
export function checkResourceName(name: string, path: string): FieldError[] {
  const wrong = complaints(path, name, isQualifiedName(name));
  if (wrong.length > 0 || name.includes('/')) return wrong;
  const standard =
    native.includes(name) ||
    quotaNames.includes(name) ||
    name.startsWith('hugepages-') ||
    name.startsWith('requests.hugepages-');
  return standard ? [] : [invalid(path, name, 'must be a standard resource type or fully qualified')];
}

/** A resource that a quota may bound. */
export function checkQuotaResourceName(name: string, path: string): FieldError[] {
  const errors = checkResourceName(name, path);
  const standard =
    native.includes(name) ||
    (quotaNames.includes(name) && name !== 'storage') ||
    name.startsWith('hugepages-') ||
    name.startsWith('requests.hugepages-');
  if (name.includes('/') || standard) return errors;
  return [...errors, invalid(path, name, 'must be a standard resource for quota')];
}

/** A resource that containers may ask for. */
export function checkContainerResourceName(name: string, path: string): FieldError[] {
  const errors = checkResourceName(name, path);
  const forContainers = native.includes(name) || name.startsWith('hugepages-');
  if (!name.includes('/'))
    return forContainers
      ? errors
      : [...errors, invalid(path, name, 'must be a standard resource for containers')];
  if (isNative(name) || isExtendedResource(name)) return errors;
  return [...errors, invalid(path, name, "doesn't follow extended resource name standard")];
}

function checkPodResourceName(name: string, path: string): FieldError[] {
  const errors = checkResourceName(name, path);
  if (errors.length > 0 || name === 'cpu' || name === 'memory' || isHugePages(name)) return errors;
  return [notSupported(path, name, ['cpu', 'hugepages-', 'memory'])];
}

function validateClaims(claims: ResourceClaim[], path: string, claimNames: Set<string>): FieldError[] {
  const seen = new Set<string>();
  return claims.flatMap(({ name = '', request = '' }, index) => {
    const at = `${path}[${index}]`;
    if (name === '') return [required(at)];
    const key = request === '' ? name : `${name}/${request}`;
    const clash =
      seen.has(name) ||
      seen.has(key) ||
      (request === '' && [...seen].some((other) => other.startsWith(`${name}/`)));
    seen.add(key);
    return [
      ...(clash ? [duplicate(at, seen.has(name) ? name : key)] : []),
      ...(request === '' ? [] : checkLabel(request, `${at}.request`)),
      ...(claimNames.has(name) ? [] : [unknownClaim(at, name, claimNames)]),
    ];
  });
}

function unknownClaim(at: string, name: string, known: Set<string>): FieldError {
  const error = notFoundField(at, name);
  const rest = known.size === 0 ? ' which is empty' : `: ${[...known].toSorted().join(', ')}`;
  return {
    ...error,
    message: `${error.message}: must be one of the names in pod.spec.resourceClaims${rest}`,
  };
}
