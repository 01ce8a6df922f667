import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  milliQuantityOf,
  parseQuantity,
} from '../quantity.ts';
import { quantityMilliValue } from '../quantity.ts';
import type { Container, Pod, ResourceRequirements } from '../types.ts';

export type ResourceList = Record<string, string>;

/** Writes all quantities of a list in canonical form, rounded up to thousandths. Leaves what is no quantity to validation. */
export function canonicalList(list: ResourceList | undefined): void {
  for (const [name, text] of Object.entries(list ?? {})) {
    const canonical = roundedToMilli(text);
    if (list !== undefined && canonical !== undefined) list[name] = canonical;
  }
}

function roundedToMilli(text: string): string | undefined {
  try {
    const quantity = parseQuantity(text);
    const exact = quantity.nano % 1_000_000n === 0n;
    return exact ? formatQuantity(quantity) : milliQuantityOf(quantityMilliValue(text), quantity.format);
  } catch {
    return undefined; // what it is instead is told by validation, which sees the text as it came
  }
}

export function canonicalResources(
  resources: Pick<ResourceRequirements, 'limits' | 'requests'> | undefined,
): void {
  canonicalList(resources?.limits);
  canonicalList(resources?.requests);
}

/** A request that isn't given is the limit, where there is one. */
export function defaultRequestsToLimits({ resources }: Container): void {
  if (resources?.limits === undefined) return;
  resources.requests = { ...resources.limits, ...resources.requests };
}

/** Resources that a Pod as a whole may have. */
export function isPodLevelResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || isHugePages(name);
}

export function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

/**
 * Pod-level resources: limits of huge pages are the containers' sum; requests are the containers' sum, and where they
 * have none, the Pod's limits (KEP-2837).
 */
export function defaultPodLevelResources({ spec }: Pod): void {
  const resources = spec?.resources;
  if (spec === undefined || resources === undefined) return;
  if (!isEmpty(resources.limits) || !isEmpty(resources.requests)) {
    const limits = Object.entries(aggregateContainers(spec, 'limits')).filter(
      ([name]) => isHugePages(name) && resources.requests?.[name] === undefined,
    );
    if (limits.length > 0) resources.limits = { ...Object.fromEntries(limits), ...resources.limits };
  }
  if (isEmpty(resources.limits)) return;
  const containers = Object.entries(aggregateContainers(spec, 'requests')).filter(
    ([name]) => name === 'cpu' || name === 'memory',
  );
  const limits = Object.entries(resources.limits ?? {}).filter(([name]) => isPodLevelResource(name));
  resources.requests = {
    ...Object.fromEntries(limits),
    ...Object.fromEntries(containers),
    ...resources.requests,
  };
}

function isEmpty(list: ResourceList | undefined): boolean {
  return Object.keys(list ?? {}).length === 0;
}

/**
 * What a Pod's containers need together: all that run at the same time, or one init container and the sidecars
 * before it, whichever is more. Source: component-helpers resource/helpers.go.
 */
export function aggregateContainers(
  spec: { containers?: Container[]; initContainers?: Container[] },
  field: 'limits' | 'requests',
): ResourceList {
  const total: ResourceList = {};
  const sidecars: ResourceList = {};
  const initial: ResourceList = {};
  for (const container of spec.containers ?? []) addTo(total, container.resources?.[field]);
  for (const container of spec.initContainers ?? []) {
    const own = container.resources?.[field];
    if (container.restartPolicy === 'Always') {
      addTo(total, own);
      addTo(sidecars, own);
      raiseTo(initial, sidecars);
    } else {
      const during = { ...sidecars };
      addTo(during, own);
      raiseTo(initial, during);
    }
  }
  raiseTo(total, initial);
  return total;
}

function addTo(total: ResourceList, list: ResourceList | undefined): void {
  for (const [name, amount] of Object.entries(list ?? {})) {
    const before = total[name];
    total[name] = before === undefined ? amount : addQuantities(before, amount);
  }
}

function raiseTo(total: ResourceList, list: ResourceList): void {
  for (const [name, amount] of Object.entries(list)) {
    const before = total[name];
    if (before === undefined || compareQuantities(amount, before) > 0) total[name] = amount;
  }
}
