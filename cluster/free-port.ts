import { createServer, type ListenOptions } from 'node:net';
import { once } from 'node:events';

const KUBERNETES_PORT = 6443;
/** The ports from 6443 on: below those that the kernel gives to connections, which could hold the port when it is wanted again. */
const PORTS = Array.from({ length: 200 }, (_, index) => KUBERNETES_PORT + index);

/** A port that is ours until disposed. */
export interface ReservedPort extends AsyncDisposable {
  port: number;
}

/**
 * Reserves a TCP port that nothing listens on: the preferred one when it is free (6443, as users expect), else the next
 * one that is. The API server listens only later, and in another process: until then an abstract unix socket (unix(7)) with the port in
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
  for (const port of [preferred, ...PORTS].filter((wanted) => !taken.includes(wanted))) {
    const held = (await isFree(port)) ? await listen({ path: `\0podwright-port/${port}` }) : undefined;
    if (held !== undefined) return { port, [Symbol.asyncDispose]: held.close };
  }
  throw new Error(`no TCP port from ${PORTS[0]} to ${PORTS.at(-1)} is free on this host`);
}

async function isFree(port: number): Promise<boolean> {
  const listening = await listen({ port, host: '0.0.0.0' });
  await listening?.close();
  return listening !== undefined;
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
  return { close: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}
