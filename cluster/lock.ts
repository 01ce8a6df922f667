import { createServer } from 'node:net';
import { once } from 'node:events';

/**
 * Holds the right to change one cluster (up, down, node start) until disposed. The lock is an abstract unix socket
 * (unix(7)): it ends with its process, also after SIGKILL, and leaves no file. Throws when another process holds it.
 */
export async function lockCluster(name: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  server.listen(`\0podwright/${name}`);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(
      `cluster ${name}: another 'podwright up' or 'down' is at work on it; wait for it to end`,
      {
        cause,
      },
    );
  }
  return {
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
