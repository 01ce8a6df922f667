import test from 'ava';
import fc from 'fast-check';
import { repeatedKeys } from '../../../apiserver/http/repeated-keys.ts';

test('a key that is there twice is found with its path, once', (t) => {
  t.deepEqual(repeatedKeys('{"data":{"a":"1","b":"a","a":"2","a":"3"}}'), ['data.a']);
  t.deepEqual(repeatedKeys('{"a":[{"b":1},{"b":1,"c":[],"b":{}}],"a":1}'), ['a[1].b', 'a']);
  t.deepEqual(repeatedKeys('{"a":"{\\"a\\":1,\\"a\\":2","\\u0061":1}'), ['a']);
});

test('what was made of an object has none', (t) => {
  fc.assert(fc.property(fc.json(), (text) => repeatedKeys(JSON.stringify(JSON.parse(text))).length === 0));
  t.pass();
});
