import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** sun_path has 108 bytes, the last of which is 0 (unix(7)). */
const longestAddress = 107;
const O_PATH = 0o10000000;

/** A path by which bind(2) and connect(2) find a socket; good until disposed. */
export interface SocketAddress extends Disposable {
  path: string;
}

/**
 * The address of a unix socket, whatever the length of its path: a path that is too long is given through a file descriptor of its
 * directory. Throws when that directory is not there.
 */
export function socketAddress(path: string): SocketAddress {
  if (Buffer.byteLength(path) <= longestAddress) return { path, [Symbol.dispose]: () => undefined };
  const directory = openSync(dirname(path), O_PATH | constants.O_DIRECTORY);
  return {
    path: `/proc/self/fd/${directory}/${basename(path)}`,
    [Symbol.dispose]: () => closeSync(directory),
  };
}
