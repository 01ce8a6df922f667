import { StatusError } from '../api/status.ts';
import type { Status } from '../api/types.ts';
import { ConnectionError } from './connection-error.ts';
import { assertComplete } from './response-body.ts';
import type { ApiObject, WatchEvent } from './objects.ts';
import type { TransportResponse } from './transport.ts';

/**
 * The events of a watch response, one JSON document a line, each as soon as its line is complete.
 * An ERROR event is thrown as StatusError (code 410 when the resourceVersion is too old), a broken connection
 * as ConnectionError. The iteration ends quietly at the server's timeout and when `signal` is aborted.
 */
export async function* readWatch<T extends ApiObject>({
  response: { stream },
  signal,
}: {
  response: TransportResponse;
  signal?: AbortSignal | undefined;
}): AsyncGenerator<WatchEvent<T>, void, undefined> {
  let rest: Buffer[] = [];
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
        const line = Buffer.concat([...rest, chunk.subarray(start, end)]);
        rest = [];
        start = end + 1;
        if (line.length > 0) yield parseEvent<T>(line);
      }
      if (start < chunk.length) rest.push(chunk.subarray(start));
    }
    assertComplete(stream, 'watch');
  } catch (error) {
    if (signal?.aborted === true) return;
    if (error instanceof StatusError || error instanceof ConnectionError) throw error;
    throw new ConnectionError({ message: 'watch: connection lost', cause: error, unsent: false });
  } finally {
    stream.destroy();
  }
}

const parseEvent = <T extends ApiObject>(line: Buffer): WatchEvent<T> => {
  const event = JSON.parse(line.toString('utf8')) as WatchEvent<T> | { type: 'ERROR'; object: Status };
  if (event.type === 'ERROR') throw new StatusError(event.object);
  return event;
};
