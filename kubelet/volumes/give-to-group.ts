import type { Pod } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import { applyFsGroupInSlices, fsGroupOf } from './ownership.ts';
import type { VolumeEvents } from './volume-events.ts';

export interface GiveToGroupOptions {
  directory: string;
  pod: Pod;
  clock: Clock;
  events: Pick<VolumeEvents, 'pod'>;
}

/** When it is first told that this takes long, and how often then (upstream: volume_linux.go). */
const firstTellMs = 30_000;
const tellMs = 60_000;

/** Gives a writable volume to the Pod's fsGroup, if it has one, by its fsGroupChangePolicy. What takes long is told by events. */
export const giveToGroup = async ({ directory, pod, clock, events }: GiveToGroupOptions): Promise<void> => {
  const { metadata, spec } = pod;
  const at = directory.indexOf(metadata?.uid ?? '');
  const shown = at < 0 ? directory : directory.slice(at);
  let count = 0;
  const tell = (message: string) =>
    events.pod(pod, { type: 'Warning', reason: 'VolumePermissionChangeInProgress', message });
  const tellAgain = () => {
    cancel = clock.after(tellMs, () => {
      tell(`Setting volume ownership for ${shown}, processed ${count} files.`);
      tellAgain();
    });
  };
  let cancel = clock.after(firstTellMs, () => {
    tell(
      `Setting volume ownership for ${shown} is taking longer than expected, consider using OnRootMismatch - ${documentation}`,
    );
    tellAgain();
  });
  try {
    await applyFsGroupInSlices({
      directory,
      fsGroup: fsGroupOf(pod),
      readOnly: false,
      changePolicy: spec?.securityContext?.fsGroupChangePolicy,
      onFile: (done) => (count = done),
    });
  } finally {
    cancel();
  }
};

const documentation =
  'https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#configure-volume-permission-and-ownership-change-policy-for-pods';
