import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { watchPath } from '../../linux/inotify.ts';
import { watchMounts } from '../../linux/mount-watch.ts';
import { hasCode } from '../../linux/system-error.ts';

/** The classes' folders in a discovery directory, by class. */
export const classFolders = (discoveryDir: string): Map<string, string> =>
  new Map(
    readdirSync(discoveryDir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => [name, join(discoveryDir, name)]),
  );

/**
 * Calls `listener` when something comes, goes or is mounted in a discovery directory (which is made when it isn't there)
 * or in a class's folder of it. `refresh` finds folders that are new.
 */
export const watchDirectories = (discoveryDir: string, listener: () => void) => {
  mkdirSync(discoveryDir, { recursive: true });
  const watches = new Map<string, Disposable>();
  const watch = (path: string) => {
    if (watches.has(path)) return;
    try {
      const onEvent = ({ events }: { events: string[] }) => {
        if (events.includes('ignored')) watches.delete(path);
        listener();
      };
      watches.set(path, watchPath(path, ['create', 'delete', 'movedFrom', 'movedTo'], onEvent));
    } catch (error) {
      // Gone again; the directory above tells when it comes back.
      if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  };
  const mounts = watchMounts(listener);
  watch(discoveryDir);
  return {
    refresh() {
      for (const path of classFolders(discoveryDir).values()) watch(path);
    },
    stop() {
      mounts[Symbol.dispose]();
      for (const each of watches.values()) each[Symbol.dispose]();
    },
  };
};
