import type { ContainerStatus, Pod } from '../api/types.ts';

/** Name of the index of pods by the claims that they use (claimKeysOf), those of their ephemeral volumes included. */
export const podsByClaim = 'claim';

/** Whether no container of a pod runs or will run again (Kubernetes pkg/volume/util IsPodTerminated). */
export const isPodTerminated = ({ metadata, status = {} }: Pod): boolean => {
  if (status.phase === 'Failed' || status.phase === 'Succeeded') return true;
  const statuses = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  return metadata?.deletionTimestamp !== undefined && statuses.every(isNotRunning);
};

const isNotRunning = ({ state }: ContainerStatus): boolean =>
  state?.terminated !== undefined || state?.waiting !== undefined;
