import { addQuantities, compareQuantities } from '../../api/quantity.ts';
import type { Container, Volume } from '../../api/types.ts';
import { isSidecar } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';

export const hasSizeLimit = ({ emptyDir }: Volume): boolean =>
  emptyDir?.sizeLimit !== undefined && compareQuantities(emptyDir.sizeLimit, 0) > 0;

/** An emptyDir that is not in memory. */
export const isOnDisk = ({ emptyDir }: Volume): boolean =>
  emptyDir !== undefined && (emptyDir.medium ?? '') === '';

type Limit = string | undefined;

/** What the Pod's containers may use of the node's disk together; undefined when none has a limit (upstream: PodLimits). */
export function ephemeralStorageLimit({ spec }: KubeletPod): Limit {
  let sidecars: Limit;
  let initialization: Limit;
  for (const container of spec.initContainers ?? []) {
    const withSidecars = sumOf(limitOf(container), sidecars);
    if (isSidecar(container)) sidecars = withSidecars;
    initialization = largerOf(initialization, withSidecars);
  }
  const limit = largerOf(
    [...spec.containers.map(limitOf), sidecars].reduce(sumOf, undefined),
    initialization,
  );
  const overhead = spec.overhead?.['ephemeral-storage'];
  return limit === undefined || compareQuantities(limit, 0) === 0 ? limit : sumOf(limit, overhead);
}

export const limitOf = ({ resources }: Container): Limit => resources?.limits?.['ephemeral-storage'];

const sumOf = (a: Limit, b: Limit): Limit =>
  a === undefined || b === undefined ? (a ?? b) : addQuantities(a, b);

const largerOf = (a: Limit, b: Limit): Limit =>
  a === undefined || b === undefined ? (a ?? b) : compareQuantities(b, a) > 0 ? b : a;
