import { rm } from 'node:fs/promises';
import { isNotFound } from '../cri/cri-error.ts';
import { podLogFolder } from '../containers/log-paths.ts';
import type { KubeletPod } from '../pod.ts';
import type { PodSyncContext } from './sync-context.ts';

/** Frees what a dead Pod holds: mounts and cgroup; when it is deleted, its containers and sandboxes too. */
export async function syncTerminated(context: PodSyncContext, pod: KubeletPod): Promise<void> {
  const { uid, deletionTimestamp } = pod.metadata;
  await context.volumes.unmountPod(uid);
  if (deletionTimestamp) await removeFromRuntime(context, uid);
  await context.cgroups.remove(pod);
  context.statuses.finish(pod);
}

/** Removes all containers and sandboxes of the Pod; what is gone already is fine. */
export async function removeFromRuntime({ cri, cache }: PodSyncContext, uid: string): Promise<void> {
  const gone = (error: unknown) => {
    if (!isNotFound(error)) throw error;
    return {};
  };
  const status = cache.get(uid) ?? (await cache.inspect(uid));
  if (!status) return;
  const { containers, sandboxes } = status;
  await Promise.all(containers.map(({ id }) => cri.call('RemoveContainer', { containerId: id }).catch(gone)));
  for (const { id, state } of sandboxes) {
    if (state === 'SANDBOX_READY') await cri.call('StopPodSandbox', { podSandboxId: id }).catch(gone);
    await cri.call('RemovePodSandbox', { podSandboxId: id }).catch(gone);
  }
  await cache.waitFor(uid, (seen) => !seen);
}

/** After the Pod's object is gone: its folders, logs, and what is remembered of it. */
export async function forgetPod(context: PodSyncContext, pod: KubeletPod): Promise<void> {
  const { uid } = pod.metadata;
  await removeFromRuntime(context, uid);
  await context.volumes.removePodDirectory(uid);
  await rm(podLogFolder(context.folders.logs, pod), { recursive: true, force: true });
  context.statusContext.failures.forget(uid);
  context.containers.crashLoop.forget(`${uid}_`);
  context.images.forget(uid);
  context.statuses.forget(uid);
}
