import type { Container, Pod, PodSpec, PodStatus } from '../types.ts';
import { defaultContainer } from './container.ts';
import {
  canonicalList,
  canonicalResources,
  defaultPodLevelResources,
  defaultRequestsToLimits,
} from './resources.ts';
import { defaultVolume } from './volume.ts';

/** Defaults of a Pod itself; those of its spec that a template has too are in `defaultPodSpec`. */
export function defaultPod(pod: Pod): void {
  unifyAddresses((pod.status ??= {}));
  const spec = (pod.spec ??= { containers: [] });
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  for (const container of containers) defaultRequestsToLimits(container);
  defaultPodLevelResources(pod);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork === true) for (const container of containers) defaultHostPorts(container);
  defaultPodSpec(spec);
  // A negative period once meant no grace at all. In a template it stays (pkg/apis/core/v1/conversion.go).
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
}

/** Defaults of a Pod's spec, in a Pod or in a template. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  unifyServiceAccount(spec);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  const all = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  for (const container of all) defaultContainer(container);
  canonicalList(spec.overhead);
  canonicalResources(spec.resources);
}

/** `podIP` is the first of `podIPs`; either may be given (pkg/apis/core/v1/conversion.go). */
function unifyAddresses(status: PodStatus): void {
  const { podIP = '', podIPs = [] } = status;
  if (podIP !== '' && podIPs[0]?.ip !== podIP) status.podIPs = [{ ip: podIP }];
  else if (podIP === '' && podIPs[0] !== undefined) status.podIP = podIPs[0].ip;
}

/** On the host's network a container's port is the host's. */
function defaultHostPorts({ ports }: Container): void {
  for (const port of ports ?? []) port.hostPort ||= port.containerPort;
}

/** `serviceAccount` is the old name of `serviceAccountName`; both are always served (pkg/apis/core/v1/conversion.go). */
function unifyServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount;
  if (name === undefined || name === '') return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}
