import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../cri/cri-error.ts';
import { annotationNames } from '../containers/labels.ts';
import { asKubeletPod } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import type { PodRuntimeStatus } from '../runtime-status/runtime-status.ts';
import type { PodDirectory } from '../sources/pod-directory.ts';
import type { PodSyncContext } from '../sync/sync-context.ts';
import type { PodWorkers } from '../workers/pod-workers.ts';

export interface OrphanOptions {
  context: PodSyncContext;
  directory: PodDirectory;
  workers: PodWorkers;
  volumes: { removeOrphans(options: { keep: ReadonlySet<string> }): Promise<unknown> };
}

/**
 * Ends and removes what belongs to Pods that nobody wants any more: containers, volumes, cgroups, logs. To be called
 * once all sources are known, since an unknown Pod is a deleted one.
 */
export async function removeOrphans(options: OrphanOptions): Promise<void> {
  const { context, directory, workers, volumes } = options;
  for (const status of context.cache.all()) {
    if (directory.get(status.uid) || workers.get(status.uid)) continue;
    const pod = orphanPod(status);
    workers.update(pod);
    workers.remove(pod);
  }
  const kept = (): ReadonlySet<string> =>
    new Set([
      ...directory.list().map(({ metadata }) => metadata.uid),
      ...workers.list().map(({ pod }) => pod.metadata.uid),
      ...context.cache.uids(),
    ]);
  await volumes.removeOrphans({ keep: kept() });
  // Asked anew each time: Pods come while we wait.
  await Promise.all([removeCgroups(context, kept), removeLogs(context, kept)]);
}

/** A Pod made from what its sandbox and containers tell, good enough to end it. */
function orphanPod({ uid, name, namespace, containers }: PodRuntimeStatus): KubeletPod {
  const annotations = containers[0]?.annotations ?? {};
  const grace =
    annotations[annotationNames.deletionGracePeriod] ?? annotations[annotationNames.terminationGracePeriod];
  return asKubeletPod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      uid,
      name,
      namespace,
      deletionTimestamp: new Date().toISOString(),
      ...(grace === undefined ? {} : { deletionGracePeriodSeconds: Number(grace) }),
    },
    spec: { containers: [] },
  });
}

type Kept = () => ReadonlySet<string>;

async function removeCgroups({ cgroups, log }: PodSyncContext, kept: Kept): Promise<void> {
  const keep = kept();
  for (const { uid, path } of cgroups.existing()) {
    if (keep.has(uid)) continue;
    await cgroups
      .removePath(path)
      .catch((error: unknown) => log.warn({ path, error: messageOf(error) }, 'cannot remove a cgroup'));
  }
}

/** Log folders are named `<namespace>_<name>_<uid>`. */
async function removeLogs({ folders }: PodSyncContext, kept: Kept): Promise<void> {
  const names = await readdir(folders.logs).catch(() => []);
  const keep = kept();
  for (const name of names) {
    const uid = name.split('_').at(-1) ?? '';
    if (!keep.has(uid)) await rm(join(folders.logs, name), { recursive: true, force: true });
  }
}
