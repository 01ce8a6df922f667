import test from 'ava';
import { envFileValue } from '../../../kubelet/environment/env-file.ts';
import { formatMap, splitSubscript } from '../../../kubelet/environment/field-path.ts';
import { quoted } from '../../../kubelet/environment/quoted.ts';

// Each pair was checked with Go's strconv.Quote.
const quotes: [string, string][] = [
  ['plain', '"plain"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['\n\t\r\u0000\u007f\u0007\v', '"\\n\\t\\r\\x00\\x7f\\a\\v"'],
  ['größe 漢字 🚀', '"größe 漢字 🚀"'],
  ['\u00a0\u200b\ufeff\u{e0001}', '"\\u00a0\\u200b\\ufeff\\U000e0001"'],
];

for (const [text, expected] of quotes) {
  test(`quotes ${expected}`, (t) => t.is(quoted(text), expected));
}

test('a map is sorted by key', (t) => {
  t.is(formatMap({ b: '2', a: 'x\ny', 'c.d/e': '' }), 'a="x\\ny"\nb="2"\nc.d/e=""');
  t.is(formatMap({}), '');
});

test('subscripts', (t) => {
  t.deepEqual(splitSubscript("metadata.labels['a[b]c']"), { path: 'metadata.labels', subscript: 'a[b]c' });
  t.deepEqual(splitSubscript("metadata.labels['']"), { path: 'metadata.labels', subscript: '' });
  t.deepEqual(splitSubscript('metadata.labels'), { path: 'metadata.labels', subscript: undefined });
  t.deepEqual(splitSubscript("['x']"), { path: "['x']", subscript: undefined });
});

const files: [string, string, string][] = [
  ["A='1'\nB='2'", 'B', '2'],
  ["  A='1'", 'A', '1'],
  ["A= '1'", 'A', ''],
  ["A='$(x) \\n'", 'A', '$(x) \\n'],
  ["A='1\n2\n'\nB='3'", 'B', '3'],
  ["\n# c\nA=''", 'A', ''],
  ["A='1'\r\nB='2'\r\n", 'A', '1'],
];

for (const [text, key, value] of files) {
  test(`env file ${JSON.stringify(text)}`, (t) => t.is(envFileValue(text, key), value));
}

const brokenFiles: [string, string][] = [
  ['A', "invalid environment variable format at line 1: missing '='"],
  ["='1'", 'invalid environment variable format at line 1: empty variable name'],
  ["A ='1'", "invalid environment variable format at line 1: whitespace before '=' is not allowed"],
  ["B='1'\nA=1", 'invalid environment variable format at line 2: value must be enclosed in single quotes'],
  ["A='1' x", 'invalid environment variable format at line 1: unexpected content after closing quote'],
  ["\nA='1\n2", 'invalid environment variable format starting at line 2: unclosed single quote'],
];

for (const [text, message] of brokenFiles) {
  test(`env file refuses ${JSON.stringify(text)}`, (t) => {
    t.throws(() => envFileValue(text, 'Z'), { message });
  });
}
