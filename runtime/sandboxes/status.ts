import { containerStatus } from '../containers/status.ts';
import type { ContainerEventType, PodSandbox, PodSandboxStatus, Sent } from '../cri/types.ts';
import { nowNs } from '../clock.ts';
import { CriError, notFound } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import type { SandboxRecord } from './record.ts';

/** The sandbox of this id (or beginning of one). Throws NOT_FOUND in containerd's words. */
export function getSandbox(runtime: Runtime, id: string): SandboxRecord {
  const sandbox = runtime.sandboxes.find(id);
  if (sandbox === undefined) throw notFound('an error occurred when try to find sandbox: not found');
  return sandbox;
}

/** The same, of a sandbox that containers can be made and started in. Throws UNKNOWN when it is not ready. */
export function getReadySandbox(runtime: Runtime, id: string): SandboxRecord {
  const sandbox = getSandbox(runtime, id);
  if (sandbox.state === 'SANDBOX_READY') return sandbox;
  throw new CriError('UNKNOWN', `sandbox container ${JSON.stringify(sandbox.id)} is not running`);
}

/** CRI's PodSandboxStatus. */
export function sandboxStatus(sandbox: SandboxRecord): Sent<PodSandboxStatus> {
  const [ip = '', ...additional] = sandbox.state === 'SANDBOX_READY' ? sandbox.ips : [];
  const { metadata, labels, annotations, linux } = sandbox.config;
  return {
    id: sandbox.id,
    metadata,
    state: sandbox.state,
    createdAt: sandbox.createdAtNs,
    network: { ip, additionalIps: additional.map((address) => ({ ip: address })) },
    linux: { namespaces: { options: linux?.securityContext?.namespaceOptions ?? null } },
    labels,
    annotations,
    runtimeHandler: sandbox.runtimeHandler,
  };
}

/** CRI's PodSandbox, the entry of a list. */
export function sandboxListEntry(sandbox: SandboxRecord): Sent<PodSandbox> {
  const { metadata, labels, annotations } = sandbox.config;
  const { id, state, createdAtNs, runtimeHandler } = sandbox;
  return { id, metadata, state, createdAt: createdAtNs, labels, annotations, runtimeHandler };
}

/** The containers of a sandbox, in the order they were made. */
export const containersOf = (runtime: Runtime, sandboxId: string) =>
  runtime.containers
    .list()
    .filter((container) => container.sandboxId === sandboxId)
    .toSorted((one, other) => one.createdAtNs - other.createdAtNs);

/** Tells the listeners of GetContainerEvents about a sandbox, or about a container in it. */
export function publishSandboxEvent(
  runtime: Runtime,
  sandboxId: string,
  type: ContainerEventType,
  {
    containerId = sandboxId,
    sandbox = runtime.sandboxes.find(sandboxId),
  }: { containerId?: string; sandbox?: SandboxRecord | undefined } = {},
): void {
  runtime.events.publish(type, () => ({
    containerId,
    createdAt: nowNs(),
    podSandboxStatus: sandbox === undefined ? null : sandboxStatus(sandbox),
    containersStatuses: containersOf(runtime, sandboxId).map((container) =>
      containerStatus(runtime, container),
    ),
  }));
}
