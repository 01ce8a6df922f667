import test from 'ava';
import { labelSelectorMatcher, parseLabelSelector } from '../../../api/selectors/labels.ts';

const labels = { app: 'web', tier: 'front', empty: '', in: 'x', count: '5' };

const selectors: [text: string, matches: boolean, canonical?: string][] = [
  ['', true],
  ['app=web', true],
  ['app==web', true],
  ['app = web , tier=front', true, 'app=web,tier=front'],
  ['app!=web', false],
  ['other!=web', true],
  ['app', true],
  ['!app', false],
  ['!other', true],
  ['app in (web,db)', true, 'app in (db,web)'],
  ['app in(db)', false, 'app in (db)'],
  ['app notin (db)', true],
  ['other notin (db)', true],
  ['empty=', true],
  ['empty', true],
  ['other=', false],
  ['empty in (,x)', true],
  ['app in ()', false],
  ['in=x', true],
  ['in in (in,x)', true],
  ['notin', false],
  ['count>4', true],
  ['count<5', false],
  ['app>1', false],
];

for (const [text, matches, canonical = text] of selectors)
  test(`"${text}" ${matches ? 'matches' : 'does not match'}`, (t) => {
    const selector = parseLabelSelector(text);
    t.is(selector.matches(labels), matches);
    if (text !== 'app==web') t.is(selector.toString(), canonical);
  });

const wrong: [text: string, message: string | RegExp][] = [
  ['=', "found '=', expected: !, identifier, or 'end of string'"],
  ['a,', "found '', expected: identifier after ','"],
  ['a=b=c', "found '=', expected: ',' or 'end of string'"],
  ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  ['a in (b', "unable to parse requirement: found '', expected: ',', ')' or identifier"],
  ['a~b', /^unable to parse requirement: <nil>: Invalid value: "a~b": name part must consist of/],
  ['a=~b', /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "~b": a valid label must/],
  [
    'a>b',
    `unable to parse requirement: values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer`,
  ],
  ['!', "unable to parse requirement: found '', expected: identifier"],
  ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
];

for (const [text, message] of wrong)
  test(`"${text}" is no selector`, (t) => {
    t.throws(() => parseLabelSelector(text), { message });
  });

test('a selector field matches by labels and expressions', (t) => {
  const selector = labelSelectorMatcher({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['front', 'back'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  });
  t.true(selector.matches(labels));
  t.false(selector.matches({ app: 'web' }));
  t.is(selector.toString(), 'app=web,!old,tier in (back,front)');
});

test('an absent selector matches nothing, an empty one everything', (t) => {
  t.false(labelSelectorMatcher(undefined).matches(labels));
  t.true(labelSelectorMatcher({}).matches(labels));
  const bad = { matchExpressions: [{ key: 'a', operator: 'Near' }] };
  t.throws(() => labelSelectorMatcher(bad), { message: '"Near" is not a valid label selector operator' });
});

test('inherited names are no labels', (t) => {
  t.false(parseLabelSelector('constructor').matches({}));
  t.true(parseLabelSelector('!toString').matches({}));
});
