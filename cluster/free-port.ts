import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';

const KUBERNETES_PORT = 6443;

/** A TCP port that nothing listens on: the preferred one when it is free (6443, as users expect), else one of the kernel's choice. */
export async function freePort(preferred = KUBERNETES_PORT): Promise<number> {
  return (await tryPort(preferred)) ?? (await tryPort(0)) ?? preferred;
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, '0.0.0.0');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } catch {
    return undefined; // in use: the caller tries another
  } finally {
    server.close();
  }
}
