import { request as requestOverHttp } from 'node:http';
import type { Duplex } from 'node:stream';
import { SpdyConnection } from '../../../runtime/streaming/spdy/connection.ts';

export interface SpdyAnswer {
  statusCode: number;
  protocol: string | undefined;
  body: string;
  connection: SpdyConnection | undefined;
}

/** Asks for an upgrade to SPDY as client-go does, offering `protocols`; without any, the header is left out. */
export function connectSpdy(url: string, protocols: string[]): Promise<SpdyAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<SpdyAnswer>();
  const offered = protocols.length === 0 ? {} : { 'X-Stream-Protocol-Version': protocols };
  const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', ...offered };
  const request = requestOverHttp(url, { method: 'POST', headers });
  request.once('error', reject).end();
  request.once('upgrade', (response, socket, head) => {
    if (head.length > 0) socket.unshift(head);
    const connection = new SpdyConnection({ socket, role: 'client', onStream: () => 'none is expected' });
    const protocol = response.headers['x-stream-protocol-version'];
    resolve({ statusCode: 101, protocol: String(protocol), body: '', connection });
  });
  request.once('response', async (response) => {
    const body = await textOf(response);
    resolve({ statusCode: response.statusCode ?? 0, protocol: undefined, body, connection: undefined });
  });
  return promise;
}

/** Everything up to the end of a stream. */
export async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The streams of a remote command, opened in client-go's order. */
export function openStreams<Type extends string>(
  connection: SpdyConnection,
  types: Type[],
): Record<Type, Duplex> {
  const opened = types.map((type) => [type, connection.openStream({ streamtype: type })] as const);
  return Object.fromEntries(opened) as unknown as Record<Type, Duplex>;
}
