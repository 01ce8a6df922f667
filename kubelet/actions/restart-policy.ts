import type { Container, ContainerRestartRule, PodSpec } from '../../api/types.ts';
import type { KubeletPod } from '../pod.ts';
import { containerNamed } from '../runtime-status/runtime-status.ts';
import type { PodRuntimeStatus } from '../runtime-status/runtime-status.ts';

/** The first restart rule of the container that this exit code meets (KEP-5307). */
export const matchingRestartRule = (
  { restartPolicyRules }: Container,
  exitCode: number,
): ContainerRestartRule | undefined =>
  restartPolicyRules?.find(({ exitCodes }) => {
    if (!exitCodes) return false;
    const listed = exitCodes.values?.includes(exitCode) ?? false;
    if (exitCodes.operator === 'In') return listed;
    return exitCodes.operator === 'NotIn' && !listed;
  });

/** Whether a container that ended with `exitCode` is started again: its rules, its policy, the Pod's policy. */
export function restartsAfter({
  container,
  spec,
  exitCode,
}: {
  container: Container;
  spec: PodSpec;
  exitCode: number;
}): boolean {
  if (container.restartPolicy) {
    const action = matchingRestartRule(container, exitCode)?.action;
    if (action === 'Restart' || action === 'RestartAllContainers') return true;
  }
  return policyRestarts(container.restartPolicy ?? spec.restartPolicy, exitCode);
}

function policyRestarts(policy: string | undefined, exitCode: number): boolean {
  if (policy === 'Never') return false;
  return policy !== 'OnFailure' || exitCode !== 0;
}

/** Whether a running container that must be killed (a failed probe) is to come back. */
export const restartsAfterKill = (container: Container, spec: PodSpec): boolean =>
  (container.restartPolicy ?? spec.restartPolicy) !== 'Never';

/** Whether the next sync starts this container: it never ran, or its end asks for it; never in a deleted Pod. */
export function shouldStart(pod: KubeletPod, container: Container, status: PodRuntimeStatus): boolean {
  if (pod.metadata.deletionTimestamp) return false;
  const current = containerNamed(status, container.name);
  if (!current) return true;
  if (current.state === 'running') return false;
  if (current.state === 'unknown' || current.state === 'created') return true;
  return restartsAfter({ container, spec: pod.spec, exitCode: current.exitCode });
}
