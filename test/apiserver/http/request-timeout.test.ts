import test from 'ava';
import { requestInfo } from '../../../apiserver/http/request-info.ts';
import { checkTimeout } from '../../../apiserver/http/request-timeout.ts';
import { startTestServer } from '../test-server.ts';

const check = (url: string) => checkTimeout(requestInfo('GET', url));

test('durations as Go writes them', (t) => {
  for (const text of ['', '0', '0s', '3m', '-5s', '%2B1.5h', '1h15m30.918s', '.5us', '5.s', '2%C2%B5s'])
    t.notThrows(() => check(`/version?timeout=${text}`), text);
  const refused = (text: string, why: string) =>
    t.throws(() => check(`/version?timeout=${text}`), {
      message: `invalid timeout specified in the request URL - time: ${why}`,
    });
  refused('invalid', 'invalid duration "invalid"');
  refused('-', 'invalid duration "-"');
  refused('.s', 'invalid duration ".s"');
  refused('1s,', 'unknown unit "s," in duration "1s,"');
  refused('10', 'missing unit in duration "10"');
  refused('1m10', 'missing unit in duration "1m10"');
  refused('3d', 'unknown unit "d" in duration "3d"');
});

test('what is long-running has its own', (t) => {
  t.notThrows(() => check('/api/v1/pods?watch=1&timeout=ever'));
  t.notThrows(() => check('/api/v1/namespaces/a/pods/b/log?timeout=ever'));
  t.throws(() => check('/api/v1/pods?timeout=ever'));
});

test('a limit that is none is refused, whoever asks', async (t) => {
  const server = await startTestServer(t);
  const { status, body } = await server.get('/api/v1/pods?timeout=invalid', { as: undefined });
  t.is(status, 400);
  t.is(body.message, 'invalid timeout specified in the request URL - time: invalid duration "invalid"');
  t.is((await server.get('/version?timeout=3m')).status, 200);
});
