import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';

const KUBERNETES_PORT = 6443;

/** A TCP port that nothing on loopback listens on: 6443 when it is free, as users expect, else one of the kernel's choice. */
export async function freePort(): Promise<number> {
  return (await tryPort(KUBERNETES_PORT)) ?? (await tryPort(0)) ?? KUBERNETES_PORT;
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
