import test from 'ava';
import fc from 'fast-check';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  milliQuantityOf,
  parseQuantity,
  quantityMilliValue,
  quantityOf,
  quantityValue,
} from '../../api/quantity.ts';

const canonical: [text: string | number, expected: string][] = [
  ['0', '0'],
  ['0n', '0'],
  ['-0', '0'],
  ['1', '1'],
  [2, '2'],
  [0.5, '500m'],
  ['1.5', '1500m'],
  ['0.1', '100m'],
  ['1000m', '1'],
  ['1500m', '1500m'],
  ['100000', '100k'],
  ['1000k', '1M'],
  ['1024', '1024'],
  ['1Ki', '1Ki'],
  ['1024Ki', '1Mi'],
  ['1.5Gi', '1536Mi'],
  ['0.5Ki', '512'],
  ['1000Ki', '1000Ki'],
  ['1e3', '1e3'],
  ['1E6', '1e6'],
  ['123e4', '1230e3'],
  ['2E', '2E'],
  ['1.1Ki', '1126400m'],
  ['0.1Mi', '104857600m'],
  ['+5', '5'],
  ['-5Mi', '-5Mi'],
  ['0.00000000001', '1n'],
  ['-0.00000000001', '-1n'],
  ['.5', '500m'],
  ['5.', '5'],
  ['100u', '100u'],
  ['9223372036854775807', '9223372036854775807'],
  ['10000000000000000000', '10E'],
  ['100Ei', '9223372036854775807'],
  ['12.34', '12340m'],
];

for (const [text, expected] of canonical)
  test(`${text} is written as ${expected}`, (t) => t.is(canonicalQuantity(text), expected));

const format = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffix = "unable to parse quantity's suffix";
const wrong: [text: string, message: string][] = [
  ['', format],
  ['abc', format],
  ['1 Gi', format],
  ['1.2.3', format],
  ['1Gb', format],
  ['--1', suffix],
  ['1_000', format],
  ['1K', suffix],
  ['1mi', suffix],
  ['1e', suffix],
  ['1+5', suffix],
  ['1e999999999', suffix],
  ['1KiKi', suffix],
];

for (const [text, message] of wrong)
  test(`"${text}" is no quantity`, (t) => {
    t.throws(() => parseQuantity(text), { message });
  });

test('values are rounded up to whole units and thousandths', (t) => {
  t.is(quantityValue('1.1'), 2);
  t.is(quantityValue('100m'), 1);
  t.is(quantityValue('-1.5'), -2);
  t.is(quantityValue('2Gi'), 2 * 1024 ** 3);
  t.is(quantityMilliValue('0.1'), 100);
  t.is(quantityMilliValue('1u'), 1);
  t.is(milliQuantityOf(1500), '1500m');
  t.is(quantityOf(2 * 1024 ** 2, 'BinarySI'), '2Mi');
});

test('the sum has the format of the first that is not zero', (t) => {
  t.is(addQuantities('1Gi', '500M'), '1573741824');
  t.is(addQuantities('1Gi', '1Gi'), '2Gi');
  t.is(addQuantities('0', '1Gi'), '1Gi');
});

const suffixes = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'E-2');
const quantity = fc
  .tuple(fc.integer({ min: -999_999, max: 999_999 }), fc.integer({ min: 0, max: 999 }), suffixes)
  .map(([whole, fraction, unit]) => `${whole}.${String(fraction).padStart(3, '0')}${unit}`);

test('the canonical form is the same amount, and its own canonical form', (t) => {
  fc.assert(
    fc.property(quantity, (text) => {
      const written = canonicalQuantity(text);
      t.is(parseQuantity(written).nano, parseQuantity(text).nano);
      t.is(canonicalQuantity(written), written);
    }),
  );
});

test('addition and comparison are those of the exact amounts', (t) => {
  fc.assert(
    fc.property(quantity, quantity, (a, b) => {
      const [left, right] = [parseQuantity(a).nano, parseQuantity(b).nano];
      t.is(parseQuantity(addQuantities(a, b)).nano, left + right);
      t.is(Math.sign(compareQuantities(a, b)), left < right ? -1 : left > right ? 1 : 0);
    }),
  );
});
