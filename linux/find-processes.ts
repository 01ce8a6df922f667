import { readdirSync, readFileSync } from 'node:fs';
import { identify, isAlive, type ProcessIdentity } from './process.ts';
import { hasCode } from './system-error.ts';

/** Every process that is to be seen from here; each may end while it is looked at. */
export const processIds = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** The living processes whose words on the command line are as asked for. It reads all of /proc: not for every day. */
export function findProcesses(matches: (words: string[]) => boolean): ProcessIdentity[] {
  return processIds()
    .flatMap((pid) => identify(pid) ?? [])
    .filter((identity) => matches(wordsOf(identity.pid)) && isAlive(identity));
}

function wordsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return []; // it has ended
    throw error;
  }
}
