import type { Pod, PodStatus } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import type { SyncContext } from '../containers/sync-containers.ts';
import type { CriClient } from '../cri/cri-client.ts';
import type { LocalStorageWatcher } from '../eviction/watch-local-storage.ts';
import type { ImageManager } from '../images/ensure-image.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import type { PodEvents } from '../pod-events.ts';
import type { KubeletPod } from '../pod.ts';
import type { ProbeManager } from '../probes/probe-manager.ts';
import type { PodCgroups } from '../resources/pod-cgroups.ts';
import type { PodCache } from '../runtime-status/pod-cache.ts';
import type { PodRuntimeStatus } from '../runtime-status/runtime-status.ts';
import type { StatusContext } from '../status/generate-status.ts';
import type { StatusManager } from '../status/status-manager.ts';
import type { PodFailure } from '../workers/pod-worker.ts';

/** The part of kubelet/volumes/volume-manager.ts that syncing a Pod uses. */
export interface PodVolumes {
  syncPod(pod: Pod): void;
  waitForMount(pod: Pod, options: { signal?: AbortSignal }): Promise<unknown>;
  unmountPod(uid: string): Promise<void>;
  removePodDirectory(uid: string): unknown;
}

/** Everything that the steps of a Pod's life work with. */
export interface PodSyncContext {
  cri: CriClient;
  clock: Clock;
  log: KubeletLog;
  events: PodEvents;
  cache: PodCache;
  cgroups: PodCgroups;
  volumes: PodVolumes;
  localStorage: Pick<LocalStorageWatcher, 'watch' | 'forget'>;
  probes: ProbeManager;
  images: ImageManager;
  statuses: StatusManager;
  statusContext: StatusContext;
  containers: SyncContext;
  /** `<kubelet>/pods` and the root of the Pods' logs. */
  folders: { pods: string; logs: string };
  /** Ends the Pod for a reason of the kubelet's own. */
  fail(pod: KubeletPod, failure: PodFailure): void;
  /** Called before each sync with the Pod: mirrors of static Pods are made here. */
  beforeSync?(pod: KubeletPod): void;
  /** All containers of the Pod are dead and will stay so: it may become terminal for the API. */
  markStopped(uid: string): void;
}

/** What the Pod's status was last said to be: by us, else by the API server. */
export const previousStatus = ({ statuses }: PodSyncContext, pod: KubeletPod): PodStatus =>
  statuses.get(pod.metadata.uid) ?? pod.status;

export type { PodRuntimeStatus };
