import type { Amounts } from '../resources/amounts.ts';
import { podRequests } from '../resources/pod-resources.ts';
import { isTerminalPhase } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import { forbiddenSysctl } from './sysctl-allowlist.ts';

export interface Rejection {
  reason: string;
  message: string;
}

export interface AdmissionInput {
  pod: KubeletPod;
  /** The other Pods of the node that are not over. */
  others: KubeletPod[];
  allocatable: Amounts;
  nodeLabels: Record<string, string>;
}

/** Whether the node can run the Pod; the scheduler does not stand before static Pods and nodeName (upstream: lifecycle/predicate.go). */
export function admit({ pod, others, allocatable, nodeLabels }: AdmissionInput): Rejection | undefined {
  const active = others.filter(({ status }) => !isTerminalPhase(status.phase));
  return (
    forbiddenSysctl(pod) ??
    lacksResource(pod, active, allocatable) ??
    lacksLabels(pod, nodeLabels) ??
    portConflict(pod, active)
  );
}

function lacksResource(pod: KubeletPod, others: KubeletPod[], allocatable: Amounts): Rejection | undefined {
  const capacity = allocatable['pods'] ?? 0;
  if (others.length + 1 > capacity) {
    return {
      reason: 'OutOfpods',
      message: `Node didn't have enough resource: pods, requested: 1, used: ${others.length}, capacity: ${capacity}`,
    };
  }
  const used = others.map(podRequests);
  for (const [name, requested] of Object.entries(podRequests(pod))) {
    const sum = used.reduce((total, amounts) => total + (amounts[name] ?? 0), 0);
    const limit = allocatable[name];
    // A resource that the node does not know is none of the kubelet's business.
    if (requested === 0 || limit === undefined || sum + requested <= limit) continue;
    return {
      reason: `OutOf${name}`,
      message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${sum}, capacity: ${limit}`,
    };
  }
  return undefined;
}

function lacksLabels({ spec }: KubeletPod, labels: Record<string, string>): Rejection | undefined {
  const missing = Object.entries(spec.nodeSelector ?? {}).some(([key, value]) => labels[key] !== value);
  if (!missing) return undefined;
  return {
    reason: 'NodeAffinity',
    message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  };
}

function portConflict(pod: KubeletPod, others: KubeletPod[]): Rejection | undefined {
  const taken = others.flatMap(hostPorts);
  const conflict = hostPorts(pod).some((mine) => taken.some((theirs) => collides(mine, theirs)));
  if (!conflict) return undefined;
  return {
    reason: 'NodePorts',
    message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
  };
}

interface HostPort {
  ip: string;
  port: number;
  protocol: string;
}

const hostPorts = ({ spec }: KubeletPod): HostPort[] =>
  [
    ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
    ...spec.containers,
  ].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ port: hostPort, ip: hostIP || '0.0.0.0', protocol: protocol ?? 'TCP' }] : [],
    ),
  );

const collides = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port &&
  a.protocol === b.protocol &&
  (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0');
