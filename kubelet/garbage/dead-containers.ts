import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isNotFound } from '../cri/cri-error.ts';
import { containerLogFolder } from '../containers/log-paths.ts';
import type { KubeletPod } from '../pod.ts';
import type { RuntimeContainer } from '../runtime-status/runtime-status.ts';
import type { PodSyncContext } from '../sync/sync-context.ts';

/** How many dead containers of each name stay, for `kubectl logs --previous` and the last state. */
const keptPerName = 1;

/** Removes the dead containers of a Pod that nobody looks at any more, with their logs, and its old sandboxes. */
export async function removeDeadContainers(context: PodSyncContext, pod: KubeletPod): Promise<void> {
  const status = context.cache.get(pod.metadata.uid);
  if (!status) return;
  const newest = new Map<string, RuntimeContainer>();
  const seen = new Map<string, number>();
  for (const container of status.containers) {
    if (!newest.has(container.name)) {
      newest.set(container.name, container);
      // The newest container of a name is its present state, dead or alive.
      continue;
    }
    if (container.state !== 'exited') continue;
    const count = (seen.get(container.name) ?? 0) + 1;
    seen.set(container.name, count);
    if (count > keptPerName) await removeContainer(context, { pod, container });
  }
  await removeOldSandboxes(context, pod);
}

async function removeContainer(
  { cri, folders }: PodSyncContext,
  { pod, container }: { pod: KubeletPod; container: RuntimeContainer },
): Promise<void> {
  await cri.call('RemoveContainer', { containerId: container.id }).catch(ignoreNotFound);
  const folder = containerLogFolder(folders.logs, pod, container.name);
  const own = `${container.restartCount}.log`;
  for (const file of await readdir(folder).catch(() => [])) {
    if (file === own || file.startsWith(`${own}.`)) await rm(join(folder, file), { force: true });
  }
}

/** A sandbox that has been replaced goes when its last container has gone. */
async function removeOldSandboxes({ cri, cache }: PodSyncContext, pod: KubeletPod): Promise<void> {
  const sandboxes = cache.get(pod.metadata.uid)?.sandboxes ?? [];
  for (const { id, state } of sandboxes.slice(1)) {
    if (state === 'SANDBOX_READY') continue;
    const { containers } = await cri.call('ListContainers', { filter: { podSandboxId: id } });
    if (containers.length > 0) continue;
    await cri.call('RemovePodSandbox', { podSandboxId: id }).catch(ignoreNotFound);
  }
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
