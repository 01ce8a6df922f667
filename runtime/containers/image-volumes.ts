import { fstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { resolve } from 'node:path/posix';
import { run } from '../../linux/command.ts';
import { openInside, type OpenedPath } from '../../linux/filesystem.ts';
import { hasCode } from '../../linux/system-error.ts';
import { CriError, messageOf } from '../errors.ts';
import type { ContainerMount } from '../native/index.ts';
import type { ContainerRecord } from './record.ts';

/**
 * The volumes that an image declares, each a directory of the container's own with what the image has at that path, unless
 * something is mounted there anyway. They can be written to even where the root file system is read-only. An image may write
 * any text for a path; all are taken from the root of the image.
 */
export function volumesOf(container: ContainerRecord, directory: string): ContainerMount[] {
  const taken = new Set(container.config.mounts.map(({ containerPath }) => resolve('/', containerPath)));
  const targets = Object.keys(container.imageConfig.Volumes ?? {}).map((path) => resolve('/', path));
  return [...new Set(targets)]
    .filter((target) => target !== '/' && !taken.has(target))
    .toSorted()
    .map((target, position) => ({ source: join(directory, 'volumes', String(position)), target }));
}

/** Makes the directories of volumesOf() and fills them from the image, whose own symlinks lead nowhere outside it. */
export async function makeVolumes(volumes: ContainerMount[], rootfs: string): Promise<void> {
  for (const { source, target } of volumes) {
    mkdirSync(source, { recursive: true, mode: 0o755 });
    await fillFromImage(source, { rootfs, target });
  }
}

async function fillFromImage(
  directory: string,
  { rootfs, target }: { rootfs: string; target: string },
): Promise<void> {
  using content = openIfThere(rootfs, target);
  if (content === undefined) return;
  try {
    if (!fstatSync(content.fd).isDirectory()) throw new Error('not a directory');
    // By the descriptor, for a path could be led elsewhere; by this process's, for a command is handed none. `/.` takes along
    // owner, mode and extended attributes of the directory itself.
    await run('cp', ['-a', '--', `/proc/${process.pid}/fd/${content.fd}/.`, directory]);
  } catch (error) {
    const what = `failed to copy image volume ${JSON.stringify(target)}`;
    throw new CriError('UNKNOWN', `${what}: ${messageOf(error)}`, { cause: error });
  }
}

function openIfThere(rootfs: string, target: string): OpenedPath | undefined {
  try {
    return openInside(rootfs, target);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
