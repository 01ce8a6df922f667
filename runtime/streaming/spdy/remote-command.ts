import type { RemoteCommandConnection, WantedStreams } from '../remote-command.ts';
import type { SpdyStream } from './stream.ts';
import { negotiateStreamProtocol, upgradeToSpdy } from './upgrade.ts';
import type { Upgrade } from './upgrade.ts';

/** The newest first, as clients also offer them (k8s.io/apimachinery, util/remotecommand). */
const protocols = ['v5', 'v4', 'v3', 'v2']
  .map((version) => `${version}.channel.k8s.io`)
  .concat('channel.k8s.io');
/** Since when a terminal's size has a stream of its own. */
const protocolsWithResize = protocols.slice(0, 3);

const streamCreationTimeoutMs = 30_000;

/**
 * Upgrades to SPDY and waits until the client has opened all its streams, told apart by their `streamType` header. The error
 * stream is always there. Throws Refusal before the upgrade, and Error when the streams do not come in time.
 */
export async function openSpdyRemoteCommand(
  upgrade: Upgrade,
  wanted: WantedStreams,
): Promise<RemoteCommandConnection> {
  const protocol = negotiateStreamProtocol(upgrade.request, protocols);
  const missing = new Set(expectedStreams(wanted, { resizes: protocolsWithResize.includes(protocol) }));
  const streams = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<void>();
  const onStream = (stream: SpdyStream) => {
    const type = stream.headers['streamtype'] ?? '';
    if (!missing.delete(type)) return `unexpected stream type: "${type}"`;
    streams.set(type, stream);
    if (missing.size === 0) complete.resolve();
    return undefined;
  };
  const connection = upgradeToSpdy(upgrade, { protocol, onStream });
  void connection.closed.then(() => complete.reject(new Error('the client closed its connection')));
  const timer = setTimeout(
    () => complete.reject(new Error('timed out waiting for client to create streams')),
    streamCreationTimeoutMs,
  );
  try {
    await complete.promise;
  } catch (error) {
    connection.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return asConnection(streams, { protocol, connection });
}

function asConnection(
  streams: Map<string, SpdyStream>,
  { protocol, connection }: { protocol: string; connection: ReturnType<typeof upgradeToSpdy> },
): RemoteCommandConnection {
  const error = streams.get('error');
  if (error === undefined) throw new Error('the client opened no error stream');
  // The client's end of these streams is read too, for a stream is over when both of its ends are.
  for (const type of ['error', 'stdout', 'stderr']) streams.get(type)?.resume();
  return {
    protocol,
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    resize: streams.get('resize'),
    error,
    closed: connection.closed,
    close: () => connection.close(),
  };
}

function expectedStreams(wanted: WantedStreams, { resizes }: { resizes: boolean }): string[] {
  const types = ['stdin', 'stdout', 'stderr'] as const;
  const resize = wanted.tty && resizes ? ['resize'] : [];
  return ['error', ...types.filter((type) => wanted[type]), ...resize];
}
