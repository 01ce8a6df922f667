import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import test from 'ava';
import { SpdyConnection } from '../../../../runtime/streaming/spdy/connection.ts';
import type { SpdyStream } from '../../../../runtime/streaming/spdy/stream.ts';
import { textOf } from '../spdy-client.ts';

/** Two ends of one connection, and a stream that the client has opened, as each of them sees it. */
async function connected() {
  const [clientSocket, serverSocket] = duplexPair();
  const accepted = Promise.withResolvers<SpdyStream>();
  const server = new SpdyConnection({
    socket: serverSocket,
    role: 'server',
    onStream: (stream) => {
      accepted.resolve(stream);
      return undefined;
    },
  });
  const client = new SpdyConnection({
    socket: clientSocket,
    role: 'client',
    onStream: () => 'none is expected',
  });
  const ours = client.openStream({ streamtype: 'stdout' });
  return { client, server, ours, theirs: await accepted.promise };
}

test('what was sent to its end can still be read when the connection is closed', async (t) => {
  const { client, server, ours, theirs } = await connected();
  theirs.end('all of it');
  await once(theirs, 'finish');
  server.close();
  await client.closed;
  t.is(await textOf(ours), 'all of it');
  t.true(ours.destroyed);
});

test('what was not sent to its end fails when the connection is closed', async (t) => {
  const { client, server, ours, theirs } = await connected();
  theirs.write('half of it');
  server.close();
  await client.closed;
  await t.throwsAsync(textOf(ours), { code: 'ECONNRESET', message: 'the connection was closed' });
});
