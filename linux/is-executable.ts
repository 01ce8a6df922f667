import { accessSync, constants, statSync } from 'node:fs';

/** Whether there is a file at `path` that this process may run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // not there, or not for us: the answer, not a failure
  }
}
