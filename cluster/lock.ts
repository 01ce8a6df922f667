import { createServer } from 'node:net';
import { once } from 'node:events';
import { lockHolder } from '../network/lock-holder.ts';

/**
 * Holds the right to change one cluster (up, down, node start) until disposed. The lock is an abstract unix socket
 * (unix(7)): it ends with its process, also after SIGKILL, and leaves no file. Throws when another process holds it.
 */
export async function lockCluster(name: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  const address = `\0podwright/${name}`;
  server.listen(address);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(
      `cluster ${name}: another 'podwright up' or 'down' is at work on it, ${lockHolder(address)}; wait for it to end`,
      { cause },
    );
  }
  return {
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
