import { chmodSync, constants, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openInside, openPath } from '../../linux/filesystem.ts';
import type { OpenedPath } from '../../linux/filesystem.ts';
import { hasCode } from '../../linux/system-error.ts';
import { openBeneath } from './open-beneath.ts';

export interface MakeDirectoryOptions {
  root: string;
  /** Relative to the root; links on the way are followed as long as they stay inside. */
  path: string;
  /** Permission bits of each directory that is made, whatever the umask. */
  mode: number;
}

const openDirectory = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Makes the directory and its parents, and opens it. Each step stands on an open directory, so a link that a container
 * puts in the way at the same moment is an error (EXDEV, ELOOP), never a directory outside. Throws SystemError, or
 * Error for `..`.
 */
export const makeDirectoryInside = ({ root, path, mode }: MakeDirectoryOptions): OpenedPath => {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) throw new Error(`path ${path} must not contain '..'`);
  using stack = new DisposableStack();
  let reached = stack.use(openPath(root));
  for (const [index, name] of names.entries()) {
    reached = stack.use(stepInto({ root, parent: reached, name, walked: names.slice(0, index), mode }));
  }
  // A descriptor of its own: the stack closes those of the way.
  return openInside(reached.path, '.', { flags: openDirectory, resolve: 'beneath' });
};

interface Step {
  root: string;
  parent: OpenedPath;
  name: string;
  walked: string[];
  mode: number;
}

const stepInto = ({ root, parent, name, walked, mode }: Step): OpenedPath => {
  try {
    // From the root again: a link inside may lead anywhere inside.
    return openBeneath({ root, path: join(...walked, name), flags: openDirectory });
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  mkdirSync(join(parent.path, name));
  const made = openInside(parent.path, name, { flags: openDirectory, resolve: 'beneath', noSymlinks: true });
  if (!statSync(made.path).isDirectory()) throw new Error(`${name} is not a directory`);
  chmodSync(made.path, mode);
  return made;
};
