import test from 'ava';
import { bytesOfText, textOfBytes } from '../../linux/byte-text.ts';

test('bytes come back as they were, whether or not they are text', (t) => {
  for (const hex of [
    '',
    '61',
    '61 80 ff 62',
    'e2 82',
    'e2 82 ac',
    'f0 9f 98 80',
    'ed b2 80',
    'c3 28 00 c3 a9',
  ]) {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    t.deepEqual(bytesOfText(textOfBytes(bytes)), bytes, hex);
  }
  t.is(textOfBytes(Buffer.from('a€😀')), 'a€😀');
  t.is(JSON.parse(JSON.stringify(textOfBytes(Buffer.of(0x61, 0x80)))), 'a\udc80');
});
