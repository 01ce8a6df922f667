import type { ProcessIdentity } from '../../linux/process.ts';
import type { NamespaceMode, PodSandboxConfig, PodSandboxState } from '../cri/types.ts';

export const sandboxRecordVersion = 1;

/**
 * A sandbox as it is kept on disk. The record is there before anything else is made, so that whatever a killed daemon left
 * half done is found and taken away:
 *
 *     NOTREADY (pause being started, network being made) ──► READY ──► NOTREADY (stopped, or pause died) ──► removed
 */
export interface SandboxRecord {
  id: string;
  config: PodSandboxConfig;
  runtimeHandler: string;
  createdAtNs: number;
  state: PodSandboxState;
  pause: ProcessIdentity | null;
  /** Where the network namespace is bound; null on the node's network. */
  netnsPath: string | null;
  ips: string[];
  /** Path below the cgroup controllers' roots: the pod's, given by the kubelet. */
  cgroupParent: string;
}

export interface SandboxNamespaces {
  network: NamespaceMode;
  pid: NamespaceMode;
  ipc: NamespaceMode;
}

/** Which namespaces the sandbox's security context asks for; the protocol's default is POD for each. */
export function namespacesOf(config: PodSandboxConfig | null): SandboxNamespaces {
  const options = config?.linux?.securityContext?.namespaceOptions;
  return { network: options?.network ?? 'POD', pid: options?.pid ?? 'POD', ipc: options?.ipc ?? 'POD' };
}
