import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { watchPath } from '../../linux/inotify.ts';

/** A socket in the folder: the same path with another inode is another socket. */
export interface FoundSocket {
  path: string;
  /** Inode and time of making. */
  identity: string;
}

/**
 * Calls `onChange` with the sockets of a folder, now and after each change (inotify(7)). The folder is made when it isn't
 * there; names that begin with a dot are passed over, as upstream does.
 */
export const followSockets = (
  folder: string,
  onChange: (sockets: FoundSocket[]) => void,
): { stop(): void } => {
  mkdirSync(folder, { recursive: true, mode: 0o750 });
  let known = '';
  const look = () => {
    const sockets = socketsIn(folder);
    const now = JSON.stringify(sockets);
    if (now === known) return;
    known = now;
    onChange(sockets);
  };
  const watch = watchPath(folder, ['create', 'delete', 'movedTo', 'movedFrom'], look, { keepAlive: false });
  look();
  return { stop: () => watch[Symbol.dispose]() };
};

const socketsIn = (folder: string): FoundSocket[] =>
  readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .toSorted()
    .flatMap((name) => {
      const path = join(folder, name);
      const info = statSync(path, { throwIfNoEntry: false });
      return info?.isSocket() === true ? [{ path, identity: `${info.ino}-${info.birthtimeMs}` }] : [];
    });
