import { readFileSync, writeSync } from 'node:fs';
import { libc } from './libc.ts';
import { check } from './system-error.ts';

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_EXEC = 0x10; // Linux 6.3; older kernels know no other kind
const F_ADD_SEALS = 1033;
const sealAll = 0x1 | 0x2 | 0x4 | 0x8; // seal, shrink, grow, write

/**
 * Copies a program into sealed memory and returns a path to start it by, valid while this process lives. A process in a
 * container can reach the program that starts it by /proc/PID/exe; sealed, it can do nothing to it (CVE-2019-5736).
 */
export function sealProgram(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const bytes = readFileSync(path);
  let fd = libc.memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (fd < 0)
    fd = check(libc.memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), { operation: 'memfd_create', path });
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
  check(libc.fcntl(fd, F_ADD_SEALS, sealAll), { operation: 'seal', path });
  return `/proc/${process.pid}/fd/${fd}`;
}
