import { closeSync, constants, openSync } from 'node:fs';

/** In bytes, well below PATH_MAX (4096), with room for one more name. */
const longPath = 3000;

/**
 * Calls `work` with a path that leads to the directory and is short enough to append names to. A container can nest folders
 * deeper than any path may be long (each `mkdir` relative to the last); what walks its volumes must get there all the same.
 * Paths are bytes: a name may have any but 0 and `/`, and one that is not UTF-8 would be lost on the way through a string.
 */
export const withinPathLimit = async <T>(
  directory: Buffer,
  work: (directory: Buffer) => Promise<T>,
): Promise<T> => {
  if (directory.length < longPath) return work(directory);
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return await work(Buffer.from(`/proc/self/fd/${fd}`));
  } finally {
    closeSync(fd);
  }
};

/** The path of what has this name in a directory. */
export const pathInside = (directory: Buffer, name: Buffer): Buffer =>
  Buffer.concat([directory, Buffer.from('/'), name]);
