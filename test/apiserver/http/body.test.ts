import { Readable } from 'node:stream';
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
