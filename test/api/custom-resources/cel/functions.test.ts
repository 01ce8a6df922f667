import test from 'ava';
import { newEnvironment } from '../../../../api/custom-resources/cel/environment.ts';
import { withMacros } from '../../../../api/custom-resources/cel/macros.ts';
import { evaluationIssue } from '../../../../api/custom-resources/cel/issues.ts';

/** Expressions that hold, by library. */
const TRUE: Record<string, string[]> = {
  language: [
    `has({'a': 1}.a) && !has({'a': 1}.b) && has([{'has(': 1}, {'a': 1}][1].a)`,
    `[1, 2].all(i, i > 0) && [1, 2].exists(i, i == 2) && [1, 2, 2].exists_one(i, i == 1)`,
    `[1, 2, 3].filter(i, i > 1).map(i, i * 2) == [4, 6]`,
    `{'a': 1, 'b': 2}.all(k, k < 'c') && 'a' in {'a': 1} && size({'a': 1}) == 1`,
    `true || 1 / 0 > 0`,
    `1 / 0 > 0 || true`,
    `cel.bind(x, 3, x * x) == 9`,
    `type(1) == int && type('a') == string && dyn(1) == dyn(1.0) && 2 > 1.5`,
    `optional.none() != null && null != timestamp('2024-01-01T00:00:00Z') && ip('::1') != null`,
    `duration('90m') > duration('1h') && duration('90m').getMinutes() == 90`,
    `timestamp('2024-01-01T00:00:00Z') < timestamp('2025-01-01T00:00:00Z')`,
    `{'a': {'b': 1}}.?a.?b.orValue(0) == 1 && {'a': 1}[?'b'].orValue(5) == 5`,
    `optional.of(1).optMap(x, x + 1).value() == 2 && !optional.none().hasValue()`,
    `optional.of(1).optFlatMap(x, optional.of(x + 1)).value() == 2`,
  ],
  'two variables': [
    `{'a': 1}.all(k, v, k == 'a' && v == 1) && [5].all(i, v, i == 0 && v == 5)`,
    `[1, 2].exists(i, v, i == 1 && v == 2) && [1, 2].existsOne(i, v, v > 1)`,
    `[1, 2].existsOne(v, v > 1)`,
    `[1, 2].transformList(i, v, i * v) == [0, 2]`,
    `{'a': 1}.transformMap(k, v, v + 1) == {'a': 2}`,
  ],
  strings: [
    `'tacocat'.charAt(5) == 'a' && 'abab'.replace('a', 'c') == 'cbcb' && 'abab'.replace('a', 'c', 1) == 'cbab'`,
    `'a,b'.split(',') == ['a', 'b'] && ['a', 'b'].join('-') == 'a-b' && ' x '.trim() == 'x'`,
    `'aB'.lowerAscii() == 'ab' && 'aB'.upperAscii() == 'AB' && 'abc'.substring(1, 2) == 'b'`,
    `'abc'.reverse() == 'cba' && strings.quote('a"b') == '"a\\\\"b"'`,
    `'%s has %d of %.2f, %x %b %%'.format(['x', 3, 1.5, 255, 5]) == 'x has 3 of 1.50, ff 101 %'`,
    `'%s %s'.format([[1, 'a'], {'k': true}]) == '[1, a] {k: true}'`,
  ],
  regex: [
    `'abc'.matches('^a.c$') && !'abc'.matches('^b') && matches('é', '^\\\\pL$') && 'ABC'.matches('(?i)abc')`,
    `'abc 123'.find('[0-9]+') == '123' && '1 2 3'.findAll('[0-9]', 2) == ['1', '2'] && 'x'.find('y') == ''`,
  ],
  lists: [
    `[1, 2, 3].isSorted() && !['b', 'a'].isSorted() && [1, 2, 3].sum() == 6 && [1.5, 2.5].sum() == 4.0`,
    `[3, 1].min() == 1 && ['a', 'c'].max() == 'c' && [1, 2, 2].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2`,
    `[1, 1, 2].distinct() == [1, 2] && [[1], [2]].flatten() == [1, 2] && [2, 1].sort() == [1, 2]`,
    `[1, 2, 3].slice(1, 2) == [2] && [1, 2].reverse() == [2, 1] && lists.range(3) == [0, 1, 2]`,
    `sets.contains([1, 2], [1]) && sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects([1], [1, 2])`,
  ],
  urls: [
    `isURL('https://a.b:80/c?d=1&d=2') && isURL('/path') && !isURL('a b') && !isURL('path')`,
    `url('https://user@a.b:80/c?d=1').getScheme() == 'https' && url('https://a.b:80/c').getHost() == 'a.b:80'`,
    `url('https://[::1]:80/c').getHostname() == '::1' && url('https://a.b:80/').getPort() == '80'`,
    `url('https://a/b%20c').getEscapedPath() == '/b%20c' && url('https://a/?d=1&d=2').getQuery() == {'d': ['1', '2']}`,
  ],
  addresses: [
    `isIP('10.0.0.1') && isIP('::1') && !isIP('10.0.0') && ip('::1').family() == 6 && string(ip('::0:1')) == '::1'`,
    `ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified() && ip('169.254.1.1').isLinkLocalUnicast()`,
    `ip('224.0.0.1').isLinkLocalMulticast() && ip('8.8.8.8').isGlobalUnicast() && ip('::1') == ip('0::1')`,
    `isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0/33') && cidr('10.0.0.0/8').containsIP('10.1.2.3')`,
    `cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))`,
    `string(cidr('10.1.2.3/8').masked()) == '10.0.0.0/8' && cidr('fd00::/8').prefixLength() == 8`,
  ],
  quantities: [
    `isQuantity('1.5Gi') && !isQuantity('1x') && quantity('1Gi').isGreaterThan(quantity('1G'))`,
    `quantity('50k').asInteger() == 50000 && quantity('1500m').asApproximateFloat() == 1.5`,
    `quantity('50k').add(quantity('20k')).compareTo(quantity('70k')) == 0 && quantity('50k').sub(1).isLessThan(quantity('50k'))`,
    `quantity('-1').sign() == -1 && !quantity('1500m').isInteger() && quantity('1k') == quantity('1000')`,
  ],
  formats: [
    `!format.named('dns1123Label').value().validate('my-name').hasValue()`,
    `format.dns1123Label().validate('My').hasValue() && !format.named('nothing').hasValue()`,
  ],
  versions: [
    `isSemver('1.2.3-rc.1') && !isSemver('v1.2') && isSemver('v1.2', true) && semver('1.2.3').minor() == 2`,
    `semver('1.2.3').isGreaterThan(semver('1.2.3-rc.2')) && semver('1.0.0-a.2').compareTo(semver('1.0.0-a.10')) == -1`,
  ],
};

for (const [library, expressions] of Object.entries(TRUE))
  test(`${library}: all expressions hold`, (t) => {
    for (const expression of expressions) {
      const environment = newEnvironment();
      const checked = environment.check(withMacros(expression));
      t.true(checked.valid, `${expression}: ${String(checked.error)}`);
      t.is(environment.evaluate(withMacros(expression)), true, expression);
    }
  });

const FAILING: [string, string][] = [
  [`{'a': 1}.b == 1`, 'no such key: b'],
  [`[1][3] == 1`, 'index out of bounds: 3'],
  [`1 / 0 == 1`, 'division by zero'],
  [`1 % 0 == 1`, 'modulus by zero'],
  [`9223372036854775807 + 1 > 0`, 'integer overflow'],
  [`'a'.matches('(') == true`, 'error parsing regexp: missing closing ): `(`'],
  [
    `quantity('x') == quantity('1')`,
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
];

test('what cannot be evaluated says why', (t) => {
  for (const [expression, issue] of FAILING) {
    const error = t.throws(() => newEnvironment().evaluate(expression) as unknown, undefined, expression);
    t.is(evaluationIssue(error), issue);
  }
});

test('a pattern that makes other engines run for ever is matched at once', (t) => {
  t.is(newEnvironment().evaluate(`'${'a'.repeat(40)}!'.matches('^(a+)+$')`), false);
});
