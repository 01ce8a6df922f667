import { forwardPort } from '../port-forward.ts';
import { Refusal } from '../refusal.ts';
import { serveTunneledPortForward } from '../spdy/port-forward.ts';
import type { PortForwardTarget } from '../spdy/port-forward.ts';
import type { Upgrade } from '../spdy/upgrade.ts';
import { openChannels } from './channels.ts';
import { chooseProtocol, supportedNames, tunnelProtocol } from './protocols.ts';
import { openTunnel } from './tunnel.ts';
import { offeredProtocols, unsupportedProtocols, upgradeToWebSocket, whenClosed } from './upgrade.ts';

/**
 * Serves port forwarding over a WebSocket: a SPDY connection inside of it for the clients of today, or two channels for each
 * of `ports`, data and error, for those of old. Throws Refusal.
 */
export async function serveWebSocketPortForward(
  upgrade: Upgrade,
  target: PortForwardTarget & { ports: number[] },
): Promise<void> {
  const offered = offeredProtocols(upgrade.request);
  if (offered.includes(tunnelProtocol)) {
    const webSocket = await upgradeToWebSocket(upgrade, tunnelProtocol);
    await serveTunneledPortForward(openTunnel(webSocket), target);
    return;
  }
  const protocol = chooseProtocol(offered, { purpose: 'portForward' });
  if (protocol === undefined) {
    throw unsupportedProtocols(offered, [tunnelProtocol, ...supportedNames('portForward')]);
  }
  if (target.ports.length === 0) throw new Refusal(400, 'query parameter "port" is required');
  const webSocket = await upgradeToWebSocket(upgrade, protocol.name);
  const readable = target.ports.flatMap(() => [true, false]);
  const channels = openChannels(webSocket, { protocol, readable });
  const closed = whenClosed(webSocket);
  await Promise.all(target.ports.map((port, index) => forwardOne(port, { index, channels, target })));
  webSocket.close(1000);
  await closed;
}

async function forwardOne(
  port: number,
  {
    index,
    channels,
    target,
  }: { index: number; channels: ReturnType<typeof openChannels>; target: PortForwardTarget },
): Promise<void> {
  const [data, error] = channels.slice(index * 2);
  if (data === undefined || error === undefined) throw new Error(`no channels for port ${port}`);
  // Both channels begin with the port that they are for.
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(port);
  for (const channel of [data, error]) channel.write(bytes);
  await forwardPort({ port, data, error }, target);
}
