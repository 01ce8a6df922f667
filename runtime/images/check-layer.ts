import { invalidArgument } from '../errors.ts';
import { readTar } from './tar.ts';

/**
 * Refuses a layer that has an entry, or a hard link's target, with a path that leads out of the image's root. (A path that
 * goes through a symbolic link is followed inside the root when unpacking.) Throws INVALID_ARGUMENT naming the entry.
 */
export async function checkLayer(path: string): Promise<void> {
  for await (const { name, type, linkName } of readTar(path)) {
    if (leadsOut(name)) throw invalidArgument(`layer entry ${JSON.stringify(name)} leads out of the image`);
    if (type === '1' && leadsOut(linkName))
      throw invalidArgument(
        `layer entry ${JSON.stringify(name)} links to ${JSON.stringify(linkName)}, out of the image`,
      );
  }
}

/** True when following a path from a root would at some step stand above it. */
export function leadsOut(path: string): boolean {
  let depth = 0;
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    depth += part === '..' ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}
