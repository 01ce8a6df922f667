import { setTimeout as delay } from 'node:timers/promises';
import type { RemoteCommandConnection, WantedStreams } from '../remote-command.ts';
import type { Upgrade } from '../spdy/upgrade.ts';
import { openChannels } from './channels.ts';
import { chooseProtocol, supportedNames } from './protocols.ts';
import { offeredProtocols, unsupportedProtocols, upgradeToWebSocket, whenClosed } from './upgrade.ts';

/**
 * What comes earlier may be lost: older client-go (that of kubectl 1.32, for one) reads from the connection while it is still making its
 * streams, and drops what is for one that it has not made ("Unknown stream id 1, discarding message"). Newer ones wait by themselves.
 */
const clientGetsReadyMs = 30;

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 };

/** Upgrades to a WebSocket whose channels are the streams of exec or attach. Throws Refusal. */
export async function openWebSocketRemoteCommand(
  upgrade: Upgrade,
  wanted: WantedStreams,
): Promise<RemoteCommandConnection> {
  const offered = offeredProtocols(upgrade.request);
  const protocol = chooseProtocol(offered, { purpose: 'remoteCommand' });
  if (protocol === undefined) throw unsupportedProtocols(offered, supportedNames('remoteCommand'));
  const webSocket = await upgradeToWebSocket(upgrade, protocol.name);
  const clientIsReady = delay(clientGetsReadyMs);
  const [stdin, stdout, stderr, error, resize] = openChannels(webSocket, {
    protocol,
    clientIsReady,
    readable: [wanted.stdin, false, false, false, true],
  });
  if (error === undefined) throw new Error('no error channel');
  const first = wanted.stdout ? channel.stdout : wanted.stderr ? channel.stderr : channel.error;
  // An empty message on the first channel tells the client that the connection stands, as upstream does.
  const greeting = protocol.base64 ? String(first) : Buffer.from([first]);
  void clientIsReady.then(() => webSocket.send(greeting, { binary: !protocol.base64 }, () => undefined));
  return {
    protocol: protocol.name,
    stdin: wanted.stdin ? stdin : undefined,
    stdout: wanted.stdout ? stdout : undefined,
    stderr: wanted.stderr ? stderr : undefined,
    resize,
    error,
    closed: whenClosed(webSocket),
    close: () => webSocket.close(1000),
  };
}
