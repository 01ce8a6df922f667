import type { Container } from '../../api/types.ts';
import type * as cri from '../../runtime/cri/types.ts';
import { podLabels } from '../containers/labels.ts';
import { podLogFolder } from '../containers/log-paths.ts';
import type { KubeletPod } from '../pod.ts';
import { podDns } from './dns.ts';
import type { DnsSettings } from './dns.ts';
import { kernelHostname, podHostname } from './hostname.ts';

export interface SandboxConfigOptions {
  pod: KubeletPod;
  attempt: number;
  cgroupParent: string;
  logRoot: string;
  dns: DnsSettings;
  /** Groups that own the Pod's volumes. */
  volumeGroups?: readonly number[];
}

/** The CRI sandbox of a Pod. Throws for a host name that is none, and for a user namespace, in upstream's words. */
export function sandboxConfig(options: SandboxConfigOptions): cri.Sent<cri.PodSandboxConfig> {
  const { pod, attempt, cgroupParent, logRoot, dns } = options;
  const { metadata, spec } = pod;
  if (spec.hostUsers === false) {
    throw new Error("can't set `spec.hostUsers: false`, runtime does not support user namespaces");
  }
  return {
    metadata: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid, attempt },
    // The name of a Pod on the host's network is the host's.
    ...(spec.hostNetwork ? {} : { hostname: kernelHostname(pod, podHostname(pod, dns.clusterDomain)) }),
    logDirectory: podLogFolder(logRoot, pod),
    dnsConfig: podDns(pod, dns),
    portMappings: [...(spec.initContainers ?? []), ...spec.containers].flatMap(portMappings),
    labels: podLabels(pod),
    annotations: metadata.annotations ?? {},
    linux: {
      cgroupParent,
      sysctls: sysctlsOf(pod),
      securityContext: sandboxSecurity(pod, options.volumeGroups ?? []),
    },
  };
}

const portMappings = ({ ports }: Container): cri.Sent<cri.PortMapping>[] =>
  (ports ?? []).map(({ protocol, containerPort, hostPort, hostIP }) => ({
    protocol: (protocol ?? 'TCP') as cri.Protocol,
    containerPort,
    hostPort: hostPort ?? 0,
    hostIp: hostIP ?? '',
  }));

/** Names with slashes become dotted, as the kernel's tables are asked for below. */
const sysctlsOf = ({ spec }: KubeletPod): Record<string, string> =>
  Object.fromEntries(
    (spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name.replaceAll('/', '.'), value]),
  );

function sandboxSecurity(
  pod: KubeletPod,
  volumeGroups: readonly number[],
): cri.Sent<cri.LinuxSandboxSecurityContext> {
  const context = pod.spec.securityContext ?? {};
  return {
    privileged: isPrivileged(pod),
    seccomp: { profileType: 'RuntimeDefault' },
    namespaceOptions: namespaceOptions(pod),
    ...(context.runAsUser === undefined ? {} : { runAsUser: { value: context.runAsUser } }),
    ...(context.runAsGroup === undefined ? {} : { runAsGroup: { value: context.runAsGroup } }),
    supplementalGroups: [
      ...(context.fsGroup === undefined ? [] : [context.fsGroup]),
      ...(context.supplementalGroups ?? []),
      ...volumeGroups,
    ],
    supplementalGroupsPolicy: (context.supplementalGroupsPolicy ?? 'Merge') as cri.SupplementalGroupsPolicy,
  };
}

const isPrivileged = ({ spec }: KubeletPod): boolean =>
  [...(spec.initContainers ?? []), ...spec.containers].some(
    ({ securityContext }) => securityContext?.privileged === true,
  );

/** Which namespaces the Pod's containers share, with each other or with the node. */
export function namespaceOptions({ spec }: KubeletPod): cri.Sent<cri.NamespaceOption> {
  const pid = spec.hostPID ? 'NODE' : spec.shareProcessNamespace ? 'POD' : 'CONTAINER';
  return { network: spec.hostNetwork ? 'NODE' : 'POD', ipc: spec.hostIPC ? 'NODE' : 'POD', pid };
}
