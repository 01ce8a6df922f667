import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { hasCode } from '../../linux/system-error.ts';
import { trace } from '../../linux/trace.ts';
import type { StreamingRuntime } from './streaming-runtime.ts';

const log = trace('streaming');

/** One forwarded connection: its bytes, and a stream that is empty unless something went wrong. */
export interface ForwardedPort {
  port: number;
  data: Duplex;
  error: Duplex;
}

/**
 * Carries one forwarded connection until it is over and half-closes both streams. A failure to connect is written to the
 * error stream in upstream's words, from which clients conclude that the Pod is lost and close everything; so a connection
 * that merely breaks, on whichever side, is not told there but ends alone (kubernetes/kubernetes#111825).
 */
export async function forwardPort(
  { port, data, error }: ForwardedPort,
  { sandboxId, runtime }: { sandboxId: string; runtime: StreamingRuntime },
): Promise<void> {
  error.resume();
  try {
    await runtime.portForward({ sandboxId, port, stream: data });
  } catch (failure) {
    const words = failure instanceof Error ? failure.message : String(failure);
    log('port forward failed', { sandboxId, port, words });
    if (hasCode(failure, ...brokenConnection)) data.destroy();
    else if (error.writable) error.write(`error forwarding port ${port} to pod ${sandboxId}, uid : ${words}`);
  }
  await Promise.all([end(error), end(data)]);
  // What the client still sends has nobody to read it.
  data.resume();
}

const brokenConnection = ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'];

async function end(stream: Duplex): Promise<void> {
  if (stream.destroyed) return;
  try {
    if (!stream.writableEnded) stream.end();
    await finished(stream, { readable: false });
  } catch {
    // The client has gone.
  }
}
