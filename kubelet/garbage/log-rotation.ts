import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { messageOf } from '../cri/cri-error.ts';
import type { RuntimeContainer } from '../runtime-status/runtime-status.ts';
import type { PodSyncContext } from '../sync/sync-context.ts';

export interface RotationOptions {
  context: Pick<PodSyncContext, 'cache' | 'cri' | 'log'>;
  maxBytes: number;
  /** Including the one that is written. */
  maxFiles: number;
}

/** Rotates the log of each running container that has grown beyond `maxBytes` (upstream: kubelet/logs). */
export async function rotateLogs(options: RotationOptions): Promise<void> {
  for (const { containers } of options.context.cache.all()) {
    for (const container of containers) {
      if (container.state !== 'running' || !container.logPath) continue;
      const { size } = await stat(container.logPath).catch(() => ({ size: 0 }));
      if (size < options.maxBytes) continue;
      // One container whose log cannot be rotated does not keep the others from it.
      await rotate(options, container).catch((error: unknown) =>
        options.context.log.warn(
          { container: container.id, path: container.logPath, error: messageOf(error) },
          'cannot rotate a log; it is tried again at the next round',
        ),
      );
    }
  }
}

/**
 * `0.log` ─► `0.log.20260101-000000`, the one before is compressed, the oldest beyond maxFiles go, and the runtime is
 * asked to open a new `0.log`. When it cannot, the name is given back, so that no line is lost.
 */
async function rotate({ context, maxFiles }: RotationOptions, container: RuntimeContainer): Promise<void> {
  const { logPath, id } = container;
  const rotated = await rotatedLogs(logPath);
  await removeIncomplete(logPath);
  const excess = Math.max(0, rotated.length - (maxFiles - 2));
  for (const file of rotated.slice(0, excess)) await rm(file, { force: true });
  for (const file of rotated.slice(excess).filter((one) => !one.endsWith('.gz'))) await compress(file);
  const target = `${logPath}.${timestamp(new Date())}`;
  await rename(logPath, target);
  try {
    await context.cri.call('ReopenContainerLog', { containerId: id });
  } catch (error) {
    await rename(target, logPath);
    throw error;
  }
}

/** Oldest first: names sort by time. */
async function rotatedLogs(logPath: string): Promise<string[]> {
  const name = basename(logPath);
  const files = await readdir(dirname(logPath));
  return files
    .filter((file) => file.startsWith(`${name}.`) && !file.endsWith('.tmp'))
    .sort()
    .map((file) => join(dirname(logPath), file));
}

async function removeIncomplete(logPath: string): Promise<void> {
  for (const file of await readdir(dirname(logPath))) {
    if (file.endsWith('.tmp')) await rm(join(dirname(logPath), file), { force: true });
  }
}

async function compress(path: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary, { mode: 0o640 }));
  await rename(temporary, `${path}.gz`);
  await rm(path, { force: true });
}

const timestamp = (time: Date): string =>
  time.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
