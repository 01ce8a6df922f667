import type { ContainerStatus, PodStatus } from '../../api/types.ts';
import type { ContainerKind } from '../pod.ts';

/** How a container has ended. */
export interface ContainerEnd {
  kind: ContainerKind;
  exitCode: number;
  reason: string;
}

/** The ends of containers that a status tells of, and the one before it did not; each is in a status for as long as it is the last. */
export const newEnds = (before: PodStatus, after: PodStatus): ContainerEnd[] => [
  ...endsIn('init container', before.initContainerStatuses, after.initContainerStatuses),
  ...endsIn('container', before.containerStatuses, after.containerStatuses),
  ...endsIn('ephemeral container', before.ephemeralContainerStatuses, after.ephemeralContainerStatuses),
];

const endsIn = (
  kind: ContainerKind,
  before: ContainerStatus[] = [],
  after: ContainerStatus[] = [],
): ContainerEnd[] =>
  after.flatMap((status) => {
    const known = before.filter(({ name }) => name === status.name).flatMap(endsOf);
    return endsOf(status)
      .filter(({ containerID }) => !known.some((end) => end.containerID === containerID))
      .map(({ exitCode, reason }) => ({ kind, exitCode, reason: reason ?? '' }));
  });

const endsOf = ({ state, lastState }: ContainerStatus) =>
  [lastState?.terminated, state?.terminated].filter((end) => end !== undefined);
