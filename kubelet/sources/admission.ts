import type { Node } from '../../api/types.ts';
import { matchesPodNodeSelection } from '../../api/selectors/node-selector.ts';
import { untoleratedTaint } from '../../api/selectors/tolerations.ts';
import type { Amounts } from '../resources/amounts.ts';
import { podRequests } from '../resources/pod-resources.ts';
import { isStaticPod, isTerminalPhase } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import { hostHasAppArmor, unenforceableAppArmor } from './app-armor.ts';
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
  /** This node, as far as it is known. */
  node: Node;
}

/** Whether the node can run the Pod; the scheduler does not stand before static Pods and nodeName (upstream: lifecycle/predicate.go). */
export function admit({ pod, others, allocatable, node }: AdmissionInput): Rejection | undefined {
  const active = others.filter(({ status }) => !isTerminalPhase(status.phase));
  return (
    forbiddenSysctl(pod) ??
    unenforceableAppArmor(pod, hostHasAppArmor) ??
    otherSystem(pod) ??
    lacksResource(pod, active, allocatable) ??
    lacksLabels(pod, node) ??
    portConflict(pod, active) ??
    hasTaint(pod, node)
  );
}

/** The label of a Pod and the field of its spec that name an operating system; this is Linux. */
function otherSystem({ metadata, spec }: KubeletPod): Rejection | undefined {
  const label = metadata.labels?.['kubernetes.io/os'];
  if (label !== undefined && label !== 'linux') {
    return {
      reason: 'PodOSSelectorNodeLabelDoesNotMatch',
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    };
  }
  if (spec.os === undefined || spec.os.name === 'linux') return undefined;
  return {
    reason: 'PodOSNotSupported',
    message: "Failed to admit pod as the OS field doesn't match node OS",
  };
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

function lacksLabels(pod: KubeletPod, node: Node): Rejection | undefined {
  if (matchesPodNodeSelection(pod, node)) return undefined;
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

/** Only NoExecute is the kubelet's business, and never for static Pods, which nobody evicts. */
function hasTaint(pod: KubeletPod, { spec }: Node): Rejection | undefined {
  if (isStaticPod(pod)) return undefined;
  const { tolerations } = pod.spec;
  if (!untoleratedTaint(spec?.taints, { tolerations, effects: ['NoExecute'] })) return undefined;
  return {
    reason: 'TaintToleration',
    message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
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
