import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { insideNetworkNamespace } from './namespaces.ts';
import { check } from './system-error.ts';

const library = koffi.load(null);
const socket = library.func('int socket(int domain, int type, int protocol)') as (
  domain: number,
  type: number,
  protocol: number,
) => number;
const ioctl = library.func('int ioctl(int fd, unsigned long request, _Inout_ void *argument)') as (
  fd: number,
  request: number,
  argument: Buffer,
) => number;

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 0x1;
/** struct ifreq of netdevice(7): 16 bytes of name, then the flags; 40 bytes on every 64-bit architecture. */
const ifreqBytes = 40;

/**
 * Brings `lo` up in the network namespace bound at `path`, by which it also gets 127.0.0.1 and ::1: what
 * the CNI loopback plugin does, without starting a program. Throws SystemError.
 */
export function bringUpLoopback(path: string): void {
  insideNetworkNamespace(path, () => {
    const fd = check(socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0), { operation: 'socket', path });
    try {
      const request = Buffer.alloc(ifreqBytes);
      request.write('lo');
      request.writeInt16LE(IFF_UP, 16);
      check(ioctl(fd, SIOCSIFFLAGS, request), { operation: 'bring up lo in', path });
    } finally {
      closeSync(fd);
    }
  });
}
