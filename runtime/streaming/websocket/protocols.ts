/** How messages of a WebSocket subprotocol carry channels (k8s.io/streaming, wsstream). */
export interface ChannelProtocol {
  /** The subprotocol's name as negotiated; empty when the client named none. */
  name: string;
  /** Text messages with a digit for the channel and base64 behind it, instead of a byte for the channel and bytes. */
  base64: boolean;
  /** Since v5: the bytes 255, n half-close channel n. */
  closeSignals: boolean;
}

export const closeSignal = 255;

/** Subprotocols of exec and attach, and of the old port forwarding by channels. */
const names = {
  remoteCommand: [
    '',
    'v5.channel.k8s.io',
    'v4.channel.k8s.io',
    'v4.base64.channel.k8s.io',
    'channel.k8s.io',
    'base64.channel.k8s.io',
  ],
  portForward: ['', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io'],
};

/** The port forwarding of today: a SPDY connection in binary messages. */
export const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';

/** The first protocol that the client names and we have, or undefined; naming none is a protocol of its own. */
export function chooseProtocol(
  offered: string[],
  { purpose }: { purpose: keyof typeof names },
): ChannelProtocol | undefined {
  const wanted = offered.length === 0 ? [''] : offered;
  const name = wanted.find((one) => names[purpose].includes(one));
  if (name === undefined) return undefined;
  return { name, base64: name.includes('base64.'), closeSignals: name.startsWith('v5.') };
}

export const supportedNames = (purpose: keyof typeof names): string[] =>
  names[purpose].filter((name) => name !== '');
