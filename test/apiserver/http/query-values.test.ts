import test from 'ava';
import { queryFlag, queryInteger } from '../../../apiserver/http/query-values.ts';

const query = (text: string) => new URLSearchParams(text);

test('whole numbers are read, others refused in the words of their parser', (t) => {
  t.is(queryInteger(query(''), 'limit'), 0);
  t.is(queryInteger(query('limit=500'), 'limit'), 500);
  t.is(queryInteger(query('limit=-1'), 'limit'), -1);
  for (const text of ['', 'abc', '1.5', '0x10', '1 '])
    t.throws(() => queryInteger(new URLSearchParams({ limit: text }), 'limit'), {
      message: `strconv.ParseInt: parsing "${text}": invalid syntax`,
    });
  t.throws(() => queryInteger(query('limit=9223372036854775808'), 'limit'), {
    message: 'strconv.ParseInt: parsing "9223372036854775808": value out of range',
  });
});

test('a flag is set by any word but no', (t) => {
  const read = (text: string) => queryFlag(query(text), 'f');
  t.deepEqual(['', 'f=0', 'f=False', 'f', 'f=1', 'f=yes'].map(read), [false, false, false, true, true, true]);
});
