import test from 'ava';
import fc from 'fast-check';
import { escapeValue, parseFieldSelector } from '../../../api/selectors/fields.ts';

const fields = { 'metadata.name': 'web', 'spec.nodeName': '', odd: 'a,b=c\\d' };

const selectors: [text: string, matches: boolean][] = [
  ['', true],
  ['metadata.name=web', true],
  ['metadata.name==web,spec.nodeName=', true],
  ['metadata.name!=web', false],
  ['spec.nodeName!=', false],
  ['unknown=', true],
  ['odd=a\\,b\\=c\\\\d', true],
];

for (const [text, matches] of selectors)
  test(`"${text}" ${matches ? 'matches' : 'does not match'}`, (t) => {
    t.is(parseFieldSelector(text).matches(fields), matches);
  });

test('a selector tells what it requires', (t) => {
  const selector = parseFieldSelector('metadata.name=web,status.phase!=Failed');
  t.deepEqual(selector.fields, ['metadata.name', 'status.phase']);
  t.is(selector.requires('metadata.name'), 'web');
  t.is(selector.requires('status.phase'), undefined);
});

const wrong: [text: string, message: string][] = [
  ['name', "invalid selector: 'name'; can't understand 'name'"],
  ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
  ['a=\\x', 'invalid field selector: invalid escape sequence: \\x'],
  ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
];

for (const [text, message] of wrong)
  test(`"${text}" is no selector`, (t) => {
    t.throws(() => parseFieldSelector(text), { message });
  });

test('any value can be asked for when it is escaped', (t) => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      t.true(parseFieldSelector(`a=${escapeValue(value)}`).matches({ a: value }));
    }),
  );
});
