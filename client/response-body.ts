import { constants } from 'node:http2';
import type { ClientHttp2Stream } from 'node:http2';
import type { Status } from '../api/types.ts';
import { StatusError } from '../api/status.ts';
import { ConnectionError } from './connection-error.ts';
import type { TransportRequest, TransportResponse } from './transport.ts';

/** The whole body as JSON. */
export const readJson = async <T>(response: TransportResponse): Promise<T> =>
  JSON.parse((await readBytes(response)).toString('utf8')) as T;

/** A connection that breaks ends the stream as if it were complete; only the reset code tells. */
export const assertComplete = ({ rstCode }: ClientHttp2Stream, operation: string): void => {
  if (rstCode === undefined || rstCode === constants.NGHTTP2_NO_ERROR) return;
  throw new ConnectionError({ message: `${operation}: connection lost (code ${rstCode})`, unsent: false });
};

/**
 * Not by `for await`: when the whole answer came in one packet, the HTTP/2 stream is closed before anybody reads, and the
 * iterator takes that for a premature close, although every byte is there to be read.
 */
export const readBytes = ({ stream }: TransportResponse): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let ended = false;
    // Each answer ends in a close; an error, with its stack, is only made for one that comes too early.
    const lost = () => {
      if (!ended) reject(new ConnectionError({ message: 'read: connection lost', unsent: false }));
    };
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('error', reject);
    stream.once('close', lost);
    stream.once('end', () => {
      ended = true;
      try {
        assertComplete(stream, 'read');
        resolve(Buffer.concat(chunks));
      } catch (error) {
        reject(error as Error);
      }
    });
    if (stream.destroyed) lost();
  });

/** The server's Status as an error; a body that isn't one (a proxy's, say) becomes its message. */
export const statusErrorOf = async (
  response: TransportResponse,
  { method, path }: TransportRequest,
): Promise<StatusError> => {
  const text = (await readBytes(response)).toString('utf8');
  const parsed = parseStatus(text);
  if (parsed !== undefined) return new StatusError(parsed);
  return new StatusError({
    apiVersion: 'v1',
    kind: 'Status',
    metadata: {},
    status: 'Failure',
    code: response.status,
    reason: 'Unknown',
    message: `${method} ${path}: the server answered ${response.status}: ${text.slice(0, 1000)}`,
  });
};

const parseStatus = (text: string): Status | undefined => {
  try {
    const parsed = JSON.parse(text) as Status;
    return parsed.kind === 'Status' ? parsed : undefined;
  } catch {
    // Not JSON: the caller shows the text itself.
    return undefined;
  }
};
