import type { Container } from '../../api/types.ts';
import type { KubeletPod } from '../pod.ts';

/** Labels by which the kubelet finds its sandboxes and containers again, as upstream's. */
export const labelNames = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const;

/** Annotations that let a restarted kubelet end a container whose Pod it has never seen, as upstream's. */
export const annotationNames = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  preStopHandler: 'io.kubernetes.container.preStopHandler',
  ports: 'io.kubernetes.container.ports',
  deletionGracePeriod: 'io.kubernetes.pod.deletionGracePeriod',
  terminationGracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
} as const;

export const podLabels = ({ metadata }: KubeletPod): Record<string, string> => ({
  ...metadata.labels,
  [labelNames.podName]: metadata.name,
  [labelNames.podNamespace]: metadata.namespace,
  [labelNames.podUid]: metadata.uid,
});

export const containerLabels = ({ metadata }: KubeletPod, container: Container): Record<string, string> => ({
  [labelNames.podName]: metadata.name,
  [labelNames.podNamespace]: metadata.namespace,
  [labelNames.podUid]: metadata.uid,
  [labelNames.containerName]: container.name,
});

export function containerAnnotations({
  pod,
  container,
  restartCount,
}: {
  pod: KubeletPod;
  container: Container;
  restartCount: number;
}): Record<string, string> {
  const { deletionGracePeriodSeconds } = pod.metadata;
  const { terminationGracePeriodSeconds } = pod.spec;
  const preStop = container.lifecycle?.preStop;
  return {
    [annotationNames.hash]: hashOf(container),
    [annotationNames.restartCount]: String(restartCount),
    [annotationNames.terminationMessagePath]: container.terminationMessagePath ?? '',
    [annotationNames.terminationMessagePolicy]: container.terminationMessagePolicy ?? '',
    ...(deletionGracePeriodSeconds === undefined
      ? {}
      : { [annotationNames.deletionGracePeriod]: String(deletionGracePeriodSeconds) }),
    ...(terminationGracePeriodSeconds === undefined
      ? {}
      : { [annotationNames.terminationGracePeriod]: String(terminationGracePeriodSeconds) }),
    ...(preStop ? { [annotationNames.preStopHandler]: JSON.stringify(preStop) } : {}),
    ...(container.ports?.length ? { [annotationNames.ports]: JSON.stringify(container.ports) } : {}),
  };
}

/**
 * Hash of the fields whose change restarts the container: name and image, as upstream since 1.28
 * (KEP-1287: everything else may not change or is changed in place). FNV-1a, 32 bit, in hexadecimal.
 */
export function hashOf({ name, image }: Container): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(JSON.stringify({ name, image: image ?? '' }))) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16);
}
