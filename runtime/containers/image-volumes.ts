import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { normalize } from 'node:path/posix';
import type { ContainerMount } from '../native/index.ts';
import type { ContainerRecord } from './record.ts';

/**
 * The volumes that an image declares, each a directory of the container's own with what the image has at that path, unless
 * something is mounted there anyway. They can be written to even where the root file system is read-only.
 */
export function volumesOf(container: ContainerRecord, directory: string): ContainerMount[] {
  const taken = new Set(container.config.mounts.map(({ containerPath }) => normalize(containerPath)));
  return Object.keys(container.imageConfig.Volumes ?? {})
    .map((path) => normalize(path))
    .filter((path) => path !== '/' && !taken.has(path))
    .toSorted()
    .map((target, position) => ({ source: join(directory, 'volumes', String(position)), target }));
}

/** Makes the directories of volumesOf() and fills them from the image; again is no error. */
export function makeVolumes(volumes: ContainerMount[], rootfs: string): void {
  for (const { source, target } of volumes) {
    if (existsSync(source)) continue;
    mkdirSync(source, { recursive: true, mode: 0o755 });
    const content = join(rootfs, target);
    if (existsSync(content))
      cpSync(content, source, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }
}
