import test from 'ava';
import { generatedName, parseApiVersion } from '../../api/meta.ts';
import {
  isConfigMapKey,
  isDns1123Label,
  isDns1123Subdomain,
  isEnvironmentVariableName,
  isLabelValue,
  isPortName,
  isQualifiedName,
} from '../../api/names.ts';

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

test('labels', (t) => {
  for (const good of ['a', 'a-b', '0', 'x'.repeat(63)]) t.deepEqual(isDns1123Label(good), []);
  t.deepEqual(isDns1123Label('A'), [label]);
  t.deepEqual(isDns1123Label('-a'), [label]);
  t.deepEqual(isDns1123Label('a.b'), ['must not contain dots']);
  t.deepEqual(isDns1123Label('a\n'), [label]);
  t.deepEqual(isDns1123Label('x'.repeat(64)), ['must be no more than 63 characters']);
});

test('subdomains', (t) => {
  for (const good of ['a.b', 'web-1.example.com']) t.deepEqual(isDns1123Subdomain(good), []);
  for (const bad of ['a..b', '.a', 'a_b', '../a', 'a/b']) t.is(isDns1123Subdomain(bad).length, 1);
});

test('qualified names', (t) => {
  for (const good of ['app', 'example.com/app', 'A_b.c-D']) t.deepEqual(isQualifiedName(good), []);
  t.deepEqual(isQualifiedName('/app'), ['prefix part must be non-empty']);
  t.is(isQualifiedName('a/b/c').length, 1);
  t.is(isQualifiedName('example.com/')[0], 'name part must be non-empty');
  t.is(isQualifiedName('x'.repeat(64))[0], 'name part must be no more than 63 characters');
});

test('label values, keys, variables and ports', (t) => {
  t.deepEqual(isLabelValue(''), []);
  t.is(isLabelValue('a b').length, 1);
  t.deepEqual(isConfigMapKey('..data'), ["must not start with '..'"]);
  t.deepEqual(isConfigMapKey('..'), ["must not be '..'"]);
  t.is(isConfigMapKey('a/b').length, 1);
  t.deepEqual(isEnvironmentVariableName('1 any:thing'), []);
  t.is(isEnvironmentVariableName('A=B').length, 1);
  t.is(isEnvironmentVariableName('É').length, 1);
  t.deepEqual(isPortName('http-1'), []);
  t.deepEqual(isPortName('-a--'), [
    'must not contain consecutive hyphens',
    'must not begin or end with a hyphen',
  ]);
});

test('generated names keep to 63 characters and spell no words', (t) => {
  t.regex(generatedName('web-'), /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  t.is(generatedName('x'.repeat(80)).length, 63);
});

test('apiVersion has a group and a version', (t) => {
  t.deepEqual(parseApiVersion('v1'), { group: '', version: 'v1' });
  t.deepEqual(parseApiVersion('apps/v1'), { group: 'apps', version: 'v1' });
});
