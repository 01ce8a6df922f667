import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { containersToReset, triggersOf } from '../actions/restart-all.ts';
import { isNotFound } from '../cri/cri-error.ts';
import type { KubeletPod } from '../pod.ts';
import type { PodRuntimeStatus, RuntimeContainer } from '../runtime-status/runtime-status.ts';
import { killContainer } from './kill-container.ts';
import type { KillContext } from './kill-container.ts';
import { allDone } from './kill-pod.ts';
import { containerLogFolder } from './log-paths.ts';

export interface ResetContext extends KillContext {
  folders: { logs: string };
}

/**
 * Ends and removes all containers of a Pod, and leaves its sandbox. The containers that asked for it go last: what is interrupted
 * before is taken up again because of them. Nobody waits for preStop hooks.
 */
export async function resetContainers(
  context: ResetContext,
  pod: KubeletPod,
  runtime: PodRuntimeStatus,
): Promise<void> {
  const triggers = new Set(triggersOf(pod, runtime).map(({ id }) => id));
  const all = containersToReset(pod, runtime);
  const podIp = runtime.ips[0] ?? '';
  const reset = (containers: RuntimeContainer[]) =>
    allDone(containers.map((container) => endAndRemove(context, { pod, container, podIp })));
  await reset(all.filter(({ id }) => !triggers.has(id)));
  await reset(all.filter(({ id }) => triggers.has(id)));
  await Promise.all(
    [...new Set(all.map(({ name }) => name))].map((name) =>
      keepNewestLog(containerLogFolder(context.folders.logs, pod, name)),
    ),
  );
}

async function endAndRemove(
  context: ResetContext,
  { pod, container, podIp }: { pod: KubeletPod; container: RuntimeContainer; podIp: string },
): Promise<void> {
  if (container.state === 'running') {
    await killContainer(context, { pod, running: container, podIp, gracePeriodOverride: 0 });
  }
  await context.cri.call('RemoveContainer', { containerId: container.id }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

/** The newest says how often the container was restarted, now that the runtime has forgotten it. */
async function keepNewestLog(folder: string): Promise<void> {
  const files = (await readdir(folder).catch(() => [])).flatMap((file) => {
    const attempt = /^(\d+)\.log/.exec(file)?.[1];
    return attempt === undefined ? [] : [{ file, attempt: Number(attempt) }];
  });
  const newest = Math.max(...files.map(({ attempt }) => attempt));
  const older = files.filter(({ attempt }) => attempt < newest);
  await Promise.all(older.map(({ file }) => rm(join(folder, file), { force: true })));
}
