import type { Container, PodSpec } from '../../api/types.ts';
import { hashOf } from '../../kubelet/containers/labels.ts';
import { asKubeletPod } from '../../kubelet/pod.ts';
import type { KubeletPod } from '../../kubelet/pod.ts';
import type { PodRuntimeStatus, RuntimeContainer } from '../../kubelet/runtime-status/runtime-status.ts';
import type * as cri from '../../runtime/cri/types.ts';

/** A Pod of the given containers, by name or whole. */
export function podOf({
  containers = ['main'],
  initContainers = [],
  ...spec
}: Omit<Partial<PodSpec>, 'containers' | 'initContainers'> & {
  containers?: (string | Container)[];
  initContainers?: (string | Container)[];
} = {}): KubeletPod {
  return asKubeletPod({
    metadata: { name: 'web', namespace: 'default', uid: 'uid-1' },
    spec: {
      restartPolicy: 'Always',
      ...spec,
      containers: containers.map(containerOf),
      ...(initContainers.length > 0 ? { initContainers: initContainers.map(containerOf) } : {}),
    },
  });
}

const containerOf = (container: string | Container): Container =>
  typeof container === 'string' ? { name: container, image: 'busybox' } : { image: 'busybox', ...container };

export const sidecar = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'busybox',
  restartPolicy: 'Always',
  ...more,
});

/** `running`, `created`, `unknown`, or an exit code. */
export type Shown = 'running' | 'created' | 'unknown' | number;

/** What the runtime shows: a ready sandbox and these containers, the last given being the newest. */
export function runtimeOf(
  pod: KubeletPod,
  shown: Record<string, Shown> = {},
  sandbox: Partial<cri.PodSandboxStatus> = {},
): PodRuntimeStatus {
  const { uid, name, namespace } = pod.metadata;
  const containers = Object.entries(shown).map(([container, state], index) =>
    runtimeContainer(pod, { name: container, state, createdAt: (index + 1) * 1e9 }),
  );
  return {
    uid,
    name,
    namespace,
    ips: ['10.0.0.1'],
    sandboxes: [sandboxOf(sandbox)],
    containers: containers.reverse(),
  };
}

export const sandboxOf = (sandbox: Partial<cri.PodSandboxStatus> = {}): cri.PodSandboxStatus => ({
  id: 'sandbox-1',
  metadata: { name: 'web', namespace: 'default', uid: 'uid-1', attempt: 0 },
  state: 'SANDBOX_READY',
  createdAt: 1e9,
  network: { ip: '10.0.0.1', additionalIps: [] },
  linux: {
    namespaces: {
      options: { network: 'POD', pid: 'CONTAINER', ipc: 'POD', targetId: '', usernsOptions: null },
    },
  },
  labels: {},
  annotations: {},
  runtimeHandler: '',
  ...sandbox,
});

export function runtimeContainer(
  pod: KubeletPod,
  { name, state, createdAt = 1e9 }: { name: string; state: Shown; createdAt?: number },
): RuntimeContainer {
  const spec = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((one) => one.name === name);
  return {
    id: `id-${name}`,
    name,
    state: typeof state === 'number' ? 'exited' : state,
    createdAt,
    startedAt: createdAt,
    finishedAt: typeof state === 'number' ? createdAt + 1e9 : 0,
    exitCode: typeof state === 'number' ? state : 0,
    reason: '',
    message: '',
    image: 'busybox',
    imageRef: 'sha256:1',
    restartCount: 0,
    hash: spec ? hashOf(spec) : '',
    logPath: '',
    mounts: [],
    annotations: {},
    labels: {},
  };
}
