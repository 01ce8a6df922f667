import { pipeline } from 'node:stream/promises';
import { connectToLoopback } from '../../linux/loopback-socket.ts';
import { CriError, messageOf } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import type { PortForwardSession } from '../streaming/streaming-runtime.ts';
import { getSandbox } from './status.ts';

/** Carries bytes between a client and a port on the sandbox's loopback until both directions have ended. */
export async function runPortForwardSession(runtime: Runtime, session: PortForwardSession): Promise<void> {
  const { sandboxId, port, stream } = session;
  const sandbox = getSandbox(runtime, sandboxId);
  if (sandbox.state !== 'SANDBOX_READY')
    throw new CriError('UNKNOWN', `sandbox container ${JSON.stringify(sandbox.id)} is not running`);
  const netnsPath = sandbox.netnsPath ?? '/proc/self/ns/net';
  const socket = await connectToLoopback(netnsPath, port).catch((error: unknown) => {
    const where = `localhost:${port} inside namespace ${JSON.stringify(sandbox.id)}`;
    throw new Error(`failed to connect to ${where}: ${messageOf(error)}`, { cause: error });
  });
  try {
    await Promise.all([pipeline(stream, socket), pipeline(socket, stream)]);
  } finally {
    socket.destroy();
  }
}
