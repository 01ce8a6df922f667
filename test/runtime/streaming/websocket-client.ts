import { WebSocket } from 'ws';

export interface Received {
  channel: number;
  text: string;
}

/** Opens a WebSocket with a subprotocol and collects what comes, until it is closed. */
export function connectWebSocket(url: string, protocols: string[]) {
  const webSocket = new WebSocket(url.replace(/^http/, 'ws'), protocols, { rejectUnauthorized: false });
  const messages: Received[] = [];
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<number>();
  webSocket.once('open', () => opened.resolve()).once('close', (code) => closed.resolve(code));
  webSocket.once('error', opened.reject);
  webSocket.on('message', (data, isBinary) => {
    const bytes = data as Buffer;
    const channel = isBinary ? (bytes[0] ?? -1) : Number(bytes.toString('latin1', 0, 1));
    const rest = bytes.subarray(1);
    messages.push({
      channel,
      text: isBinary ? rest.toString() : Buffer.from(rest.toString(), 'base64').toString(),
    });
  });
  return {
    webSocket,
    messages,
    opened: opened.promise,
    closed: closed.promise,
    send: (channel: number, data: string) =>
      webSocket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(data)])),
    /** Everything that came on one channel. */
    text: (channel: number) =>
      messages
        .filter((one) => one.channel === channel)
        .map(({ text }) => text)
        .join(''),
  };
}
