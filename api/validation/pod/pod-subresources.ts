import { quote } from '../../go-format.ts';
import type { Binding, ContainerStatus, Pod, PodIP, PodSpec } from '../../types.ts';
import { checkIp, checkQualifiedName, complaints, nameIsSubdomain } from '../checks.ts';
import { forbidden, notSupported, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { checkImmutable, validateCoreObjectMetaUpdate } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { jsonDiff } from '../unified-diff.ts';
import { mirrorAnnotation, specOf } from './pod.ts';
import { checkAnnotations, validateBasics } from './pod-update.ts';

/** Checks a write to pods/ephemeralcontainers: containers may be added, never changed or removed. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  if (old.metadata?.annotations?.[mirrorAnnotation] !== undefined)
    return [forbidden('[]', 'static pods do not support ephemeral containers')];
  const path = 'spec.ephemeralContainers';
  const containers = specOf(pod).ephemeralContainers ?? [];
  const changes = (specOf(old).ephemeralContainers ?? []).flatMap((before) => {
    const after = containers.find(({ name }) => name === before.name);
    const existing = `existing ephemeral containers ${quote(before.name)} may not be`;
    if (after === undefined) return [forbidden(path, `${existing} removed\n`)];
    return semanticEqual(before, after)
      ? []
      : [forbidden(path, `${existing} changed\n${jsonDiff(before, after)}`)];
  });
  return [...validateBasics(pod, old), ...changes];
}

/** Checks a write to pods/status. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const [status, oldStatus] = [pod.status ?? {}, old.status ?? {}];
  const { nominatedNodeName = '' } = status;
  const oldSpec = specOf(old);
  const isNew = nominatedNodeName !== '' && nominatedNodeName !== oldStatus.nominatedNodeName;
  const bound = (oldSpec.nodeName ?? '') !== '';
  return [
    ...validateCoreObjectMetaUpdate(pod, old),
    ...checkAnnotations(pod, old),
    ...validateConditions(status.conditions ?? [], 'status.conditions'),
    ...(specOf(pod).nodeName === oldSpec.nodeName
      ? []
      : [forbidden('status.nodeName', 'may not be changed directly')]),
    ...(isNew
      ? complaints('status.nominatedNodeName', nominatedNodeName, nameIsSubdomain(nominatedNodeName))
      : []),
    ...(isNew && bound
      ? [forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node')]
      : []),
    ...(['podIPs', 'hostIPs'] as const).flatMap((list) =>
      checkIps(status[list], oldStatus[list], `status.${list}`),
    ),
    ...checkImmutable(status.qosClass, oldStatus.qosClass, 'status.qosClass'),
    ...(['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const).flatMap(
      (list) => checkTransitions(status[list] ?? [], oldStatus[list] ?? [], { list, spec: oldSpec }),
    ),
  ];
}

function checkIps(ips: PodIP[] = [], old: PodIP[] = [], path: string): FieldError[] {
  const known = old.map(({ ip }) => ip);
  return ips.flatMap(({ ip }, index) => checkIp(ip ?? '', `${path}[${index}]`, known));
}

const systemConditions = new Set(['PodScheduled', 'Ready', 'Initialized']);

function validateConditions(conditions: { type: string }[], path: string): FieldError[] {
  return conditions.flatMap(({ type }, index) =>
    systemConditions.has(type) ? [] : checkQualifiedName(type ?? '', `${path}[${index}].Type`),
  );
}

/** What has ended and doesn't restart stays ended, unless one container's end may restart them all (KEP-5532). */
function checkTransitions(
  statuses: ContainerStatus[],
  old: ContainerStatus[],
  {
    list,
    spec,
  }: { list: 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses'; spec: PodSpec },
): FieldError[] {
  const all = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const restartsAll = all.some(({ restartPolicyRules }) =>
    restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
  );
  if (restartsAll && list !== 'ephemeralContainerStatuses') return [];
  return old.flatMap(({ name, state }, index) => {
    const ended = state?.terminated;
    if (ended === undefined || mayRestart(name, ended.exitCode, { list, spec })) return [];
    const status = statuses.find((each) => each.name === name);
    if (status === undefined || status.state?.terminated !== undefined) return [];
    return [forbidden(`status.${list}[${index}].state`, 'may not be transitioned to non-terminated state')];
  });
}

function mayRestart(
  name: string,
  exitCode: number,
  { list, spec }: { list: string; spec: PodSpec },
): boolean {
  if (list === 'ephemeralContainerStatuses') return false;
  const container = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].find(
    (each) => each.name === name,
  );
  if (container?.restartPolicyRules !== undefined) return true;
  const policy = container?.restartPolicy ?? spec.restartPolicy ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/** Checks a Binding: its target is a node (upstream: ValidatePodBinding). */
export function validateBinding({ target }: Binding): FieldError[] {
  const { kind = '', name = '' } = target ?? {};
  return [
    ...(kind === '' || kind === 'Node' ? [] : [notSupported('target.kind', kind, ['Node', '<empty>'])]),
    ...(name === '' ? [required('target.name')] : []),
  ];
}
