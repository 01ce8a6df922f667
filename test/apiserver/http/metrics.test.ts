import test from 'ava';
import { CONFIG_MAPS, startTestServer } from '../test-server.ts';

test('labels name what the server knows, not what anybody asks for', async (t) => {
  const server = await startTestServer(t);
  await server.get(CONFIG_MAPS);
  await server.put('/api/v1/namespaces/default/finalize', {});
  const anybody = { as: undefined };
  t.is((await server.get('/apis/made.up/v7/namespaces/x/inventions/y/more', anybody)).status, 401);
  t.is((await server.get('/apis/made.up/v7/namespaces/x/inventions')).status, 404);
  t.is((await server.get(`${CONFIG_MAPS}/a/invented`)).status, 404);
  t.is((await server.call('PROPFIND', '/healthz', anybody)).status, 403);
  const { text } = await server.get('/metrics');
  t.notRegex(text, /made\.up|v7|invent|PROPFIND/i);
  t.regex(
    text,
    /^apiserver_request_total\{verb="LIST",group="",version="v1",resource="configmaps",subresource="",code="200"\} 1$/m,
  );
  t.regex(text, /resource="namespaces",subresource="finalize"/);
  t.regex(text, /verb="other",group="",version="",resource=""/);
});
