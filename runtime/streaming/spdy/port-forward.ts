import type { Duplex } from 'node:stream';
import { forwardPort } from '../port-forward.ts';
import type { ForwardedPort } from '../port-forward.ts';
import type { StreamingRuntime } from '../streaming-runtime.ts';
import { SpdyConnection } from './connection.ts';
import type { SpdyStream } from './stream.ts';
import { negotiateStreamProtocol, upgradeToSpdy } from './upgrade.ts';
import type { Upgrade } from './upgrade.ts';

export interface PortForwardTarget {
  sandboxId: string;
  runtime: StreamingRuntime;
}

const pairTimeoutMs = 30_000;

/** Serves port forwarding over an upgrade to SPDY until the client closes. Throws Refusal. */
export async function serveSpdyPortForward(upgrade: Upgrade, target: PortForwardTarget): Promise<void> {
  const protocol = negotiateStreamProtocol(upgrade.request, ['portforward.k8s.io']);
  await upgradeToSpdy(upgrade, { protocol, onStream: pairStreams(target) }).closed;
}

/** The same over a byte stream that is open already: the inside of a WebSocket. */
export async function serveTunneledPortForward(socket: Duplex, target: PortForwardTarget): Promise<void> {
  await new SpdyConnection({ socket, role: 'server', onStream: pairStreams(target) }).closed;
}

/**
 * The client opens two streams for each forwarded connection, `streamType` error and data, with the same `requestID` and the
 * `port`; when both are there the forwarding begins.
 */
function pairStreams(target: PortForwardTarget): (stream: SpdyStream) => string | undefined {
  const pairs = new Map<string, Partial<ForwardedPort> & { timer: NodeJS.Timeout }>();
  return (stream) => {
    const problem = problemWith(stream);
    if (problem !== undefined) return problem;
    const requestId = requestIdOf(stream);
    const type = stream.headers['streamtype'] === 'data' ? 'data' : 'error';
    const pair = pairs.get(requestId) ?? { timer: expire(pairs, requestId) };
    pairs.set(requestId, pair);
    if (pair[type] !== undefined) {
      pair.error?.write(`error processing stream for request ${requestId}: ${type} stream already assigned`);
      return `${type} stream already assigned`;
    }
    pair[type] = stream;
    if (type === 'data') pair.port = Number(stream.headers['port']);
    const { data, error, port } = pair;
    if (data === undefined || error === undefined || port === undefined) return undefined;
    clearTimeout(pair.timer);
    pairs.delete(requestId);
    void forwardPort({ data, error, port }, target);
    return undefined;
  };
}

function problemWith({ headers }: SpdyStream): string | undefined {
  const { port, streamtype: type } = headers;
  if (port === undefined) return '"port" header is required';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 0xffff) return `unable to parse "${port}" as a port`;
  if (Number(port) < 1) return `port "${port}" must be > 0`;
  if (type === undefined) return '"streamType" header is required';
  return type === 'error' || type === 'data' ? undefined : `invalid stream type "${type}"`;
}

/** Clients of old name no request; theirs open the error stream and right after it the data stream. */
function requestIdOf({ headers, id }: SpdyStream): string {
  return headers['requestid'] ?? String(headers['streamtype'] === 'error' ? id : id - 2);
}

function expire(
  pairs: Map<string, Partial<ForwardedPort> & { timer: NodeJS.Timeout }>,
  requestId: string,
): NodeJS.Timeout {
  const timer = setTimeout(() => {
    const pair = pairs.get(requestId);
    pairs.delete(requestId);
    pair?.error?.end(`(request=${requestId}) timed out waiting for streams`);
    pair?.data?.destroy();
  }, pairTimeoutMs);
  timer.unref();
  return timer;
}
