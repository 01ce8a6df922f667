import { once } from 'node:events';
import { connect } from 'node:http2';
import type { IncomingHttpStatusHeader } from 'node:http2';
import test from 'ava';
import { configMap, CONFIG_MAPS, startTestServer } from '../test-server.ts';

test('an answer that waits to be read keeps no other request of the connection out', async (t) => {
  const server = await startTestServer(t);
  const data = { x: 'x'.repeat(1_000_000) };
  for (let index = 0; index < 12; index++) await server.post(CONFIG_MAPS, configMap(`large-${index}`, data));
  const session = connect(server.url, { ca: server.authority.cert, ...server.admin });
  t.teardown(() => session.destroy());
  const statusOf = async (path: string) => {
    const stream = session.request({ ':path': path });
    const [headers] = (await once(stream, 'response')) as [IncomingHttpStatusHeader];
    return headers[':status'];
  };
  t.is(await statusOf(CONFIG_MAPS), 200);
  t.is(await statusOf('/version'), 200);
});

test('a URL may be as long as a command that is passed on in it', async (t) => {
  const server = await startTestServer(t);
  t.is((await server.get(`/version?command=${'a'.repeat(200_000)}`)).status, 200);
});
