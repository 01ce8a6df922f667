import type { Container, PodStatus } from '../../api/types.ts';
import type { KubeletPod } from '../pod.ts';
import { containerNamed } from '../runtime-status/runtime-status.ts';
import type { PodRuntimeStatus, RuntimeContainer } from '../runtime-status/runtime-status.ts';
import { matchingRestartRule } from './restart-policy.ts';

/**
 * RestartAllContainers (KEP-5532): a container ends with an exit code whose rule says so, and the whole Pod starts anew from its first
 * init container, in the same sandbox. Ephemeral containers stay.
 *
 *     exit by rule ─► condition AllContainersRestarting True ─► all containers ended and removed ─► False ─► first init container
 *
 * The condition carries it over a restart of the kubelet: it is not done until no container is left.
 */
export const restartingCondition = 'AllContainersRestarting';

/** What the status of a container says that was removed for it; clients match on these words. */
export const restartingAll = {
  reason: 'RestartingAllContainers',
  message: 'The container is removed because RestartAllContainers in place',
};

const restartable = ({ spec }: KubeletPod): Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
];

/** Whether any rule of the Pod asks for it. */
export const mayRestartAll = (pod: KubeletPod): boolean =>
  restartable(pod).some(({ restartPolicyRules }) =>
    restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
  );

/** The Pod's status says that it was begun. */
export const isRestartingAll = ({ conditions }: PodStatus): boolean =>
  conditions?.some(({ type, status }) => type === restartingCondition && status === 'True') ?? false;

/** Whether containers are to be ended and removed now: it was begun, or is asked for, and some are left. */
export const mustRestartAll = (pod: KubeletPod, runtime: PodRuntimeStatus, told: PodStatus): boolean =>
  (isRestartingAll(told) || triggersOf(pod, runtime).length > 0) &&
  containersToReset(pod, runtime).length > 0;

/** The ended containers whose exit code asks for it. */
export const triggersOf = (pod: KubeletPod, runtime: PodRuntimeStatus): RuntimeContainer[] =>
  restartable(pod).flatMap((container) => {
    const current = containerNamed(runtime, container.name);
    if (current?.state !== 'exited') return [];
    const rule = matchingRestartRule(container, current.exitCode);
    return rule?.action === 'RestartAllContainers' ? [current] : [];
  });

/** Everything that the runtime has of the Pod's containers, dead or alive. */
export function containersToReset(pod: KubeletPod, { containers }: PodRuntimeStatus): RuntimeContainer[] {
  const names = new Set(restartable(pod).map(({ name }) => name));
  return containers.filter(({ name }) => names.has(name));
}
