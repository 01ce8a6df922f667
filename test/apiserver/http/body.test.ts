import { PassThrough, Readable } from 'node:stream';
import test from 'ava';
import { StatusError } from '../../../api/status.ts';
import { decodeBody, readBody } from '../../../apiserver/http/body.ts';

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

test('a key that YAML has twice is told in the words of upstream, with the line of its later value', (t) => {
  const text = `
spec:
  foo: a
  list:
  - {x: 1, "x": 2}
  foo:
    bar: 1
  1: a
  1: b
`;
  const { value, strictErrors } = decodeBody(Buffer.from(text), 'application/yaml');
  t.deepEqual(value, { spec: { list: [{ x: 2 }], foo: { bar: 1 }, 1: 'b' } });
  t.deepEqual(strictErrors, [
    `yaml: unmarshal errors:
  line 7: key "foo" already set in map
  line 9: key 1 already set in map
  line 5: key "x" already set in map`,
  ]);
  t.deepEqual(decodeBody(Buffer.from('a: 1\nb: {a: 1}\n'), 'application/yaml').strictErrors, []);
});
