import test from 'ava';
import fc from 'fast-check';
import { duplicateFields, inTextOrder } from '../../../apiserver/http/repeated-keys.ts';

test('a key that is there twice is found with its path, once', (t) => {
  const repeated = (text: string) => duplicateFields(text).map((error) => /"(.*)"/.exec(error)?.[1]);
  t.deepEqual(repeated('{"data":{"a":"1","b":"a","a":"2","a":"3"}}'), ['data.a']);
  t.deepEqual(repeated('{"a":[{"b":1},{"b":1,"c":[],"b":{}}],"a":1}'), ['a[1].b', 'a']);
  t.deepEqual(repeated('{"a":"{\\"a\\":1,\\"a\\":2","\\u0061":1}'), ['a']);
  t.deepEqual(repeated('[{"op":"add","op":"test"}]'), ['[0].op']);
});

test('what was made of an object has none', (t) => {
  fc.assert(fc.property(fc.json(), (text) => duplicateFields(JSON.stringify(JSON.parse(text))).length === 0));
  t.pass();
});

test('errors come in the order of the text', (t) => {
  const text = '{"spec":{"odd":1,"replicas":2,"replicas":3,"last":1},"first":1}';
  const errors = [
    'unknown field "spec.odd"',
    'duplicate field "spec.replicas"',
    'unknown field "spec.last"',
    'unknown field "first"',
  ];
  t.deepEqual(inTextOrder(text, errors.toReversed()), errors);
});
