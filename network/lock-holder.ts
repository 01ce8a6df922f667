import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { processIds } from '../linux/find-processes.ts';

/**
 * Says who listens on an abstract unix socket that serves as a lock, for a person who waits for it: `pid 12 (podwright up)`. Anybody can
 * hold such a name, so it may be somebody who has nothing to do with podwright.
 */
export function lockHolder(address: string): string {
  const inode = listeningInode(address);
  const pid = inode === undefined ? undefined : processIds().find((one) => hasSocket(one, inode));
  return pid === undefined ? 'a process that is not to be seen from here' : `pid ${pid} (${commandOf(pid)})`;
}

/** A line of the table ends with the inode and the name, an abstract one with @ for its NUL (proc_pid_net(5)). */
function listeningInode(address: string): string | undefined {
  const name = address.replace('\0', '@');
  const rows = readFileSync('/proc/self/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.split(/\s+/));
  return rows.find((row) => row[7] === name && row[3] === LISTENING)?.[6];
}

/** The flag SO_ACCEPTCON of Linux: connections to the socket have a row of the same name without it. */
const LISTENING = '00010000';

function hasSocket(pid: number, inode: string): boolean {
  const folder = `/proc/${pid}/fd`;
  return filesIn(folder).some((fd) => targetOf(join(folder, fd)) === `socket:[${inode}]`);
}

/** A process may end while it is looked at, and not every one is ours to look at. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Files are closed while one looks, the list of them itself to begin with. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return 'it has just ended';
  }
}
