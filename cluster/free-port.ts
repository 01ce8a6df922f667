import { createServer, type AddressInfo, type ListenOptions } from 'node:net';
import { once } from 'node:events';

const KUBERNETES_PORT = 6443;

/** A port that is ours until disposed. */
export interface ReservedPort extends AsyncDisposable {
  port: number;
}

/**
 * Reserves a TCP port that nothing listens on: the preferred one when it is free (6443, as users expect), else one of the kernel's
 * choice. The API server listens only later, and in another process: until then an abstract unix socket (unix(7)) with the port in
 * its name keeps other clusters, which start at the same moment, from choosing it too.
 */
export async function reservePort({
  preferred = KUBERNETES_PORT,
  taken,
}: {
  preferred?: number | undefined;
  /** Ports of other clusters, whose API servers may be down for a moment. */
  taken: number[];
}): Promise<ReservedPort> {
  for (const wanted of [preferred, 0, 0, 0].filter((port) => !taken.includes(port))) {
    const port = await freePort(wanted);
    const held = port === undefined ? undefined : await listen({ path: `\0podwright-port/${port}` });
    if (port !== undefined && held !== undefined) return { port, [Symbol.asyncDispose]: held.close };
  }
  return { port: preferred, [Symbol.asyncDispose]: async () => {} };
}

async function freePort(port: number): Promise<number | undefined> {
  const listening = await listen({ port, host: '0.0.0.0' });
  await listening?.close();
  return (listening?.address as AddressInfo | undefined)?.port;
}

/** Undefined when the address is in use: the caller tries another. */
async function listen(options: ListenOptions) {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  try {
    server.listen(options);
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  const address = server.address();
  return { address, close: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}
