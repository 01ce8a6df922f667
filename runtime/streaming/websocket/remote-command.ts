import type { RemoteCommandConnection, WantedStreams } from '../remote-command.ts';
import type { Upgrade } from '../spdy/upgrade.ts';
import { openChannels } from './channels.ts';
import { chooseProtocol, supportedNames } from './protocols.ts';
import { offeredProtocols, unsupportedProtocols, upgradeToWebSocket, whenClosed } from './upgrade.ts';

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
  const [stdin, stdout, stderr, error, resize] = openChannels(webSocket, {
    protocol,
    readable: [wanted.stdin, false, false, false, true],
  });
  if (error === undefined) throw new Error('no error channel');
  const first = wanted.stdout ? channel.stdout : wanted.stderr ? channel.stderr : channel.error;
  // An empty message on the first channel tells the client that the connection stands, as upstream does.
  webSocket.send(protocol.base64 ? String(first) : Buffer.from([first]), { binary: !protocol.base64 });
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
