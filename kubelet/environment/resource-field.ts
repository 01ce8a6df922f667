import { compareQuantities, quantityMilliValue, quantityValue } from '../../api/quantity.ts';
import type { Container, Pod, ResourceFieldSelector } from '../../api/types.ts';

/** Quantities by resource name, such as `{ cpu: '2', memory: '4Gi' }`. */
export type ResourceList = Readonly<Record<string, string>>;

export interface ResourceFieldOptions {
  selector: ResourceFieldSelector;
  pod: Pod;
  /** The container asking, for a selector without containerName. */
  container?: Container | undefined;
  nodeAllocatable: ResourceList;
}

const defaultedToNode = new Set(['cpu', 'memory', 'ephemeral-storage']);

/**
 * The value of a `resourceFieldRef`: a whole number of divisors, rounded up. A limit that isn't set is the Pod's own
 * limit, else the node's allocatable; a request that isn't set is 0. Throws an Error with upstream's words
 * (pkg/api/v1/resource/helpers.go ExtractContainerResourceValue).
 */
export const resourceField = ({
  selector,
  pod,
  container,
  nodeAllocatable,
}: ResourceFieldOptions): string => {
  const { resource, divisor = '0', containerName = '' } = selector;
  const { requests = {}, limits = {} } = containerOf({ pod, container, containerName }).resources ?? {};
  const [, kind, name = ''] = /^(requests|limits)\.(.+)$/.exec(resource) ?? [];
  if (!defaultedToNode.has(name) && !name.startsWith('hugepages-')) {
    throw new Error(`unsupported container resource : ${resource}`);
  }
  const value = kind === 'requests' ? requests[name] : limitOf({ limits, name, pod, nodeAllocatable });
  // CPU counts in thousandths, which makes a divisor of 1m exact.
  const units = name === 'cpu' ? quantityMilliValue : quantityValue;
  return String(Math.ceil(units(value ?? '0') / units(isZero(divisor) ? '1' : divisor)));
};

const isZero = (quantity: string): boolean => compareQuantities(quantity, '0') === 0;

const containerOf = ({
  pod,
  container,
  containerName,
}: {
  pod: Pod;
  container: Container | undefined;
  containerName: string;
}): Container => {
  if (containerName === '' && container !== undefined) return container;
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const found = all.find(({ name }) => name === containerName);
  if (found === undefined) throw new Error(`container ${containerName} not found`);
  return found;
};

const limitOf = ({
  limits,
  name,
  pod,
  nodeAllocatable,
}: {
  limits: ResourceList;
  name: string;
  pod: Pod;
  nodeAllocatable: ResourceList;
}): string | undefined => {
  const own = limits[name];
  if (!defaultedToNode.has(name) || (own !== undefined && !isZero(own))) return own;
  const ofPod = name === 'ephemeral-storage' ? undefined : pod.spec?.resources?.limits?.[name];
  return ofPod !== undefined && !isZero(ofPod) ? ofPod : (nodeAllocatable[name] ?? own);
};
