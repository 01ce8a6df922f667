import test from 'ava';
import { originOf } from '../../../../apiserver/endpoints/subresources/proxy-target.ts';

test('an origin is written as the links of its pages name it', (t) => {
  const origin = (scheme: string, port: string, address = '10.0.0.5') =>
    originOf({ scheme, name: 'web', port }, address);
  t.is(origin('', '80'), 'http://10.0.0.5');
  t.is(origin('http', ''), 'http://10.0.0.5');
  t.is(origin('https', '443'), 'https://10.0.0.5');
  t.is(origin('https', '80'), 'https://10.0.0.5:80');
  t.is(origin('', '8080', 'fd00::1'), 'http://[fd00::1]:8080');
});
