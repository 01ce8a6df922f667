import { rm } from 'node:fs/promises';
import { run } from './command.ts';
import { hasCode } from './system-error.ts';

/**
 * Removes a directory with all that is in it; nothing there is no error. A container can nest folders deeper than any path may be long:
 * then rm(1) does it, which goes by descriptors and not by paths.
 */
export async function removeDirectory(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!hasCode(error, 'ENAMETOOLONG')) throw error;
    await run('rm', ['-rf', '--one-file-system', '--', path]);
  }
}
