import type { ContainerStatus, PodStatus } from '../../api/types.ts';
import { isStaticPod, isTerminalPhase } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';

/**
 * The last status of a Pod of which nothing is left: every container that may have run is terminated, and a Pod that was
 * still Pending or Running is Failed (upstream: status manager's TerminatePod).
 */
export function terminatedStatus(pod: KubeletPod, status: PodStatus): PodStatus {
  const init = status.initContainerStatuses ?? [];
  const begun = init.length > 0 ? Math.max(1, lastBegun(init) + 1) : 0;
  return {
    ...status,
    ...(status.containerStatuses
      ? {
          containerStatuses: hasInitialized(pod, status)
            ? status.containerStatuses.map(terminated)
            : status.containerStatuses,
        }
      : {}),
    ...(init.length > 0
      ? { initContainerStatuses: init.map((one, index) => (index < begun ? terminated(one) : one)) }
      : {}),
    ...(isTerminalPhase(status.phase) || isStaticPod(pod) ? {} : { phase: 'Failed' }),
  };
}

const hasBegun = ({ state, lastState }: ContainerStatus): boolean =>
  lastState?.terminated !== undefined || state?.waiting === undefined;

const lastBegun = (statuses: ContainerStatus[]): number => statuses.findLastIndex(hasBegun);

function hasInitialized({ spec }: KubeletPod, status: PodStatus): boolean {
  if (!spec.initContainers?.length) return true;
  if (status.containerStatuses?.some(hasBegun)) return true;
  const last = status.initContainerStatuses?.at(-1);
  return (last?.state?.terminated ?? last?.lastState?.terminated)?.exitCode === 0;
}

function terminated(status: ContainerStatus): ContainerStatus {
  if (status.state?.terminated) return status;
  return {
    ...status,
    ready: false,
    started: false,
    state: {
      terminated: {
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was terminated',
        exitCode: 137,
      },
    },
  };
}
