import test from 'ava';
import { hasFormat, isKnownFormat } from '../../../../api/custom-resources/validation/formats.ts';

const FORMATS: Record<string, [good: string[], bad: string[]]> = {
  bsonobjectid: [['507f1f77bcf86cd799439011'], ['x']],
  uri: [
    ['https://a.b/c', '/path'],
    ['a b', 'path', ''],
  ],
  email: [['a@b.c'], ['a', 'a@']],
  hostname: [
    ['a.example.com', 'a'],
    ['-a', 'a..b', 'a_b'],
  ],
  ipv4: [['1.2.3.4'], ['1.2.3', '::1']],
  ipv6: [['::1'], ['1.2.3.4']],
  cidr: [
    ['10.0.0.0/8', 'fd00::/8'],
    ['10.0.0.0', '10.0.0.0/33'],
  ],
  mac: [
    ['01:02:03:04:05:06', '01-02-03-04-05-06', '0102.0304.0506'],
    ['01:02', 'x'],
  ],
  uuid: [['123e4567-e89b-12d3-a456-426614174000', '123E4567E89B12D3A456426614174000'], ['x']],
  uuid4: [['123e4567-e89b-42d3-a456-426614174000'], ['123e4567-e89b-12d3-a456-426614174000']],
  isbn: [['0321751043', '978-0321751041'], ['0321751044']],
  creditcard: [['4111-1111-1111-1111'], ['4111-1111-1111-1112']],
  ssn: [['111-11-1111'], ['1']],
  hexcolor: [['#fff', 'FFFFFF'], ['#ff']],
  rgbcolor: [['rgb(1,2,255)'], ['rgb(1,2,256)']],
  byte: [
    ['aGk=', ''],
    ['a', '?'],
  ],
  password: [['anything'], []],
  date: [['2026-02-28'], ['2026-02-30', '2026-2-3']],
  duration: [
    ['1h30m', '22 ns', '2 days', '-1.5s', '0'],
    ['1', 'x', ''],
  ],
  'date-time': [
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.123+01:00'],
    ['2026-01-01', '2026-01-01T25:00:00Z'],
  ],
  'k8s-short-name': [['my-name'], ['My', 'a.b', 'x'.repeat(64)]],
  'k8s-long-name': [['my.name'], ['.a', 'A']],
};

test('each format takes its own and nothing else', (t) => {
  for (const [format, [good, bad]] of Object.entries(FORMATS)) {
    t.true(isKnownFormat('string', format), format);
    for (const text of good) t.true(hasFormat(text, format), `${format}: ${text}`);
    for (const text of bad) t.false(hasFormat(text, format), `${format}: ${text}`);
  }
});

test('formats belong to types', (t) => {
  t.true(isKnownFormat('integer', 'int32'));
  t.true(isKnownFormat('number', 'double'));
  t.false(isKnownFormat('integer', 'float'));
  t.false(isKnownFormat('object', 'date'));
  t.false(isKnownFormat('string', 'int32'));
});
