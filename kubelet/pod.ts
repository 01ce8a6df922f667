import type { Container, ObjectMeta, Pod, PodSpec, PodStatus } from '../api/types.ts';

/** A Pod as the kubelet works with it: bound to a node, with name, namespace and UID set. */
export interface KubeletPod extends Pod {
  metadata: ObjectMeta & { name: string; namespace: string; uid: string };
  spec: PodSpec;
  status: PodStatus;
}

/** `pod` with the parts that every stored Pod has; throws for an object without name, UID or spec. */
export function asKubeletPod(pod: Pod): KubeletPod {
  const { metadata, spec, status } = pod;
  if (!metadata?.name || !metadata.uid || !spec) throw new Error('pod without name, uid or spec');
  return {
    ...pod,
    metadata: {
      ...metadata,
      name: metadata.name,
      namespace: metadata.namespace ?? 'default',
      uid: metadata.uid,
    },
    spec,
    status: status ?? {},
  };
}

/** How upstream prints a pod in events and messages: `name_namespace(uid)`. */
export const formatPod = ({ metadata }: KubeletPod): string =>
  `${metadata.name}_${metadata.namespace}(${metadata.uid})`;

/** The container kinds of a Pod spec, as CRI sees no difference between them. */
export type ContainerKind = 'container' | 'init container' | 'ephemeral container';

export interface NamedContainer {
  container: Container;
  kind: ContainerKind;
  /** For an ephemeral container: the container whose process namespace it joins. */
  targetContainerName?: string;
}

/** Every container of the spec with its kind: init, regular, ephemeral. */
export function allContainers({ spec }: KubeletPod): NamedContainer[] {
  return [
    ...(spec.initContainers ?? []).map((container) => named(container, 'init container')),
    ...spec.containers.map((container) => named(container, 'container')),
    ...(spec.ephemeralContainers ?? []).map(({ targetContainerName, ...container }) => ({
      ...named(container, 'ephemeral container'),
      ...(targetContainerName ? { targetContainerName } : {}),
    })),
  ];
}

const named = (container: Container, kind: ContainerKind): NamedContainer => ({ container, kind });

export const findContainer = (pod: KubeletPod, name: string): NamedContainer | undefined =>
  allContainers(pod).find(({ container }) => container.name === name);

/** A sidecar: an init container with restartPolicy Always (KEP-753). */
export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

export const isTerminalPhase = (phase: string | undefined): boolean =>
  phase === 'Succeeded' || phase === 'Failed';

/** The field path of a container in its Pod, as events name it: `spec.containers{web}`. */
export function containerFieldPath(pod: KubeletPod, name: string): string {
  const kind = findContainer(pod, name)?.kind;
  if (kind === 'init container') return `spec.initContainers{${name}}`;
  if (kind === 'ephemeral container') return `spec.ephemeralContainers{${name}}`;
  return `spec.containers{${name}}`;
}

export const sourceAnnotation = 'kubernetes.io/config.source';
export const mirrorAnnotation = 'kubernetes.io/config.mirror';
export const hashAnnotation = 'kubernetes.io/config.hash';
export const seenAnnotation = 'kubernetes.io/config.seen';

/** A static Pod comes from anywhere but the API server. */
export const isStaticPod = ({ metadata }: Pod): boolean => {
  const source = metadata?.annotations?.[sourceAnnotation];
  return source !== undefined && source !== 'api';
};

/** The API server's picture of a static Pod. */
export const isMirrorPod = ({ metadata }: Pod): boolean =>
  metadata?.annotations?.[mirrorAnnotation] !== undefined;

/** The lowest priority of Kubernetes' own classes (upstream: SystemCriticalPriority). */
const systemPriority = 2_000_000_000;

/** A Pod that the node can't do without, and that the kubelet never evicts (upstream: IsCriticalPod). */
export const isCriticalPod = (pod: KubeletPod): boolean =>
  isStaticPod(pod) || isMirrorPod(pod) || (pod.spec.priority ?? 0) >= systemPriority;
