import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { lockHolder } from './lock-holder.ts';

const lockAddress = '\0podwright-network';

/** The work under the lock takes a part of a second: who waits longer is told for whom. */
const patienceMs = 3000;

/**
 * Runs `action` while no other process on this host network does the same. Choosing a free subnet and changing the
 * uplink must not happen twice at once. The lock is a listening abstract socket (unix(7)): it belongs to the network
 * namespace, leaves no file, and goes away with its process.
 */
export async function withNetworkLock<Result>(action: () => Promise<Result>): Promise<Result> {
  const holder = await acquire();
  try {
    return await action();
  } finally {
    await release(holder);
  }
}

async function acquire(): Promise<Holder> {
  const timer = setTimeout(tellWhoHolds, patienceMs);
  try {
    for (;;) {
      const holder = await tryToListen();
      if (holder !== undefined) return holder;
      await holderIsGone();
    }
  } finally {
    clearTimeout(timer);
  }
}

const tellWhoHolds = (): void =>
  void process.stderr.write(
    `podwright: waiting for the right to change the host's network, which ${lockHolder(lockAddress)} has; end it if it hangs\n`,
  );

interface Holder {
  server: Server;
  waiting: Set<{ destroy: () => void }>;
}

function tryToListen(): Promise<Holder | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Holder | undefined>();
  const waiting: Holder['waiting'] = new Set();
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => waiting.delete(socket));
  });
  server.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
  );
  server.listen(lockAddress, () => resolve({ server, waiting }));
  return promise;
}

/** Connected to the holder's socket, the end of the connection is the news that the lock is free again. */
function holderIsGone(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(lockAddress);
  socket.on('error', () => socket.destroy()).once('close', () => resolve());
  return promise;
}

function release({ server, waiting }: Holder): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  for (const socket of waiting) socket.destroy();
  return promise;
}
