import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import koffi from 'koffi';
import { insideNetworkNamespace } from './namespaces.ts';
import { check, SystemError } from './system-error.ts';

const library = koffi.load(null);
const socket = library.func('int socket(int domain, int type, int protocol)') as (
  domain: number,
  type: number,
  protocol: number,
) => number;
const connect = library.func('connect', 'int', ['int', 'void *', 'unsigned int']) as (
  fd: number,
  address: Buffer,
  length: number,
) => number;
const getsockopt = library.func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']) as (
  fd: number,
  level: number,
  option: number,
  value: Buffer,
  length: Buffer,
) => number;

const families = {
  ipv4: { domain: 2, words: '127.0.0.1' },
  ipv6: { domain: 10, words: '[::1]' },
} as const;

const EINPROGRESS = 115;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/**
 * A TCP connection to a port on the loopback of the network namespace at `netnsPath`: IPv4, and IPv6 when that is refused.
 * A socket stays in the namespace where it was made, so only the making happens there. Throws SystemError (ECONNREFUSED).
 */
export async function connectToLoopback(netnsPath: string, port: number): Promise<Socket> {
  try {
    return await connectFamily(netnsPath, port, 'ipv4');
  } catch (error) {
    return await connectFamily(netnsPath, port, 'ipv6').catch(() => {
      throw error;
    });
  }
}

async function connectFamily(
  netnsPath: string,
  port: number,
  family: keyof typeof families,
): Promise<Socket> {
  const { domain, words } = families[family];
  const attempt = { operation: 'connect to', path: `${words}:${port}` };
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = insideNetworkNamespace(netnsPath, () => check(socket(domain, type, 0), { operation: 'socket' }));
  try {
    const address = loopbackAddress(family, port);
    check(connect(fd, address, address.length), attempt);
  } catch (error) {
    if (!(error instanceof SystemError && error.errno === EINPROGRESS)) {
      closeSync(fd);
      throw error;
    }
    await connected(fd, attempt);
  }
  return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
}

const SOL_SOCKET = 1;
const SO_ERROR = 4;

/** Waits for a connection that the kernel is still making. */
async function connected(fd: number, attempt: { operation: string; path: string }): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = onWritable(fd, resolve);
  await promise;
  watch[Symbol.dispose]();
  const error = Buffer.alloc(4);
  const length = Buffer.from([4, 0, 0, 0]);
  check(getsockopt(fd, SOL_SOCKET, SO_ERROR, error, length), attempt);
  if (error.readInt32LE() === 0) return;
  closeSync(fd);
  throw new SystemError(attempt, error.readInt32LE());
}

function onWritable(fd: number, listener: () => void): Disposable {
  const handle = koffi.node.poll(fd, { writable: true }, () => listener());
  return {
    [Symbol.dispose]() {
      handle.stop();
      handle.close();
    },
  };
}

/** struct sockaddr_in, sockaddr_in6. */
function loopbackAddress(family: keyof typeof families, port: number): Buffer {
  const address = Buffer.alloc(family === 'ipv4' ? 16 : 28);
  address.writeUInt16LE(families[family].domain, 0);
  address.writeUInt16BE(port, 2);
  if (family === 'ipv4') address.set([127, 0, 0, 1], 4);
  else address[23] = 1;
  return address;
}
