import { closeSync, constants, openSync } from 'node:fs';

/** Well below PATH_MAX (4096), with room for one more name. */
const longPath = 3000;

/**
 * Calls `work` with a path that leads to the directory and is short enough to append names to. A container can nest folders
 * deeper than any path may be long (each `mkdir` relative to the last); what walks its volumes must get there all the same.
 */
export const withinPathLimit = async <T>(
  directory: string,
  work: (directory: string) => Promise<T>,
): Promise<T> => {
  if (directory.length < longPath) return work(directory);
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return await work(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
};
