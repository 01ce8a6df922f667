import { PassThrough, Readable } from 'node:stream';
import test from 'ava';
import { StatusError } from '../../../api/status.ts';
import { readBody } from '../../../apiserver/http/body.ts';

const bodyOf = (text: string, aborted: boolean) =>
  Object.assign(Readable.from([Buffer.from(text)]), { headers: {}, aborted });

test('a body that breaks off is refused, although it ends', async (t) => {
  t.is((await readBody(bodyOf('a: 1\n', false))).toString(), 'a: 1\n');
  const error = await t.throwsAsync(readBody(bodyOf('a: 1\n', true)), { instanceOf: StatusError });
  t.is(error?.status.code, 400);
});

test('a zipped body that breaks off is refused, too', async (t) => {
  const request = Object.assign(new PassThrough(), { headers: { 'content-encoding': 'gzip' } });
  const body = readBody(request);
  request.destroy(new Error('aborted'));
  const error = await t.throwsAsync(body, { instanceOf: StatusError, message: 'aborted' });
  t.is(error?.status.code, 400);
});
