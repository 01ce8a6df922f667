import type { Container, Pod } from '../../api/types.ts';
import { quantityMilliValue, quantityValue } from '../../api/quantity.ts';

/** Amounts by resource name: cpu in thousandths of a core, all others in units or bytes. */
export type Resources = Map<string, number>;

/** What scoring takes for a container that asks for nothing, so that such pods spread too. */
const scoringDefaults: Readonly<Record<string, number>> = { cpu: 100, memory: 200 * 1024 * 1024 };

/** A resource list of the API, as numbers. */
export const toResources = (list: Readonly<Record<string, string>> = {}): Resources => {
  const resources: Resources = new Map();
  for (const [name, text] of Object.entries(list)) {
    resources.set(name, name === 'cpu' ? quantityMilliValue(text) : quantityValue(text));
  }
  return resources;
};

export const addResources = (to: Resources, amounts: Resources, factor = 1): void => {
  for (const [name, amount] of amounts) to.set(name, (to.get(name) ?? 0) + factor * amount);
};

const raiseResources = (to: Resources, amounts: Resources): void => {
  for (const [name, amount] of amounts) to.set(name, Math.max(to.get(name) ?? 0, amount));
};

/**
 * What a pod takes from its node (component-helpers resource.PodRequests): the sum of its containers and
 * sidecars, or what an init container needs beside the sidecars started before it, if that is more; requests of the
 * pod itself win over both; overhead comes on top. `forScoring` counts a default for containers that ask for nothing.
 */
export const podRequests = (pod: Pod, { forScoring = false } = {}): Resources => {
  const { containers = [], initContainers = [], overhead, resources } = pod.spec ?? {};
  const total: Resources = new Map();
  for (const container of containers) addResources(total, requestsOf(container, forScoring));
  const sidecars: Resources = new Map();
  const initPeak: Resources = new Map();
  for (const container of initContainers) {
    const requests = requestsOf(container, forScoring);
    if (container.restartPolicy === 'Always') {
      addResources(total, requests);
      addResources(sidecars, requests);
      raiseResources(initPeak, sidecars);
    } else {
      const together: Resources = new Map(sidecars);
      addResources(together, requests);
      raiseResources(initPeak, together);
    }
  }
  raiseResources(total, initPeak);
  for (const [name, amount] of toResources(resources?.requests)) total.set(name, amount);
  if (overhead !== undefined) addResources(total, toResources(overhead));
  return total;
};

const requestsOf = ({ resources }: Container, forScoring: boolean): Resources => {
  const requests = toResources(resources?.requests);
  if (!forScoring) return requests;
  for (const [name, amount] of Object.entries(scoringDefaults)) {
    if (!requests.has(name)) requests.set(name, amount);
  }
  return requests;
};
