const CONTEXT = 3;

interface Line {
  sign: ' ' | '-' | '+';
  text: string;
}

/**
 * The difference of two values' JSON as a unified diff without a header, as upstream shows it in messages. The order of
 * keys is no difference.
 */
export function jsonDiff(a: unknown, b: unknown): string {
  const lines = diffLines(linesOf(a), linesOf(inOrderOf(a, b)));
  return hunksOf(lines)
    .map((hunk) => [
      headerOf(lines, hunk),
      ...lines.slice(hunk.from, hunk.to).map(({ sign, text }) => sign + text),
    ])
    .flat()
    .map((line) => `${line}\n`)
    .join('');
}

const linesOf = (value: unknown): string[] => JSON.stringify(value, null, 1).split('\n');

type Fields = Record<string, unknown>;

/** `value` with the keys that `model` has too in the order of `model`; new keys stay where they are. */
function inOrderOf(model: unknown, value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((item: unknown, index) =>
      inOrderOf(Array.isArray(model) ? model[index] : undefined, item),
    );
  if (!isFields(value) || !isFields(model)) return value;
  const common = Object.keys(model).filter((key) => key in value);
  const keys = Object.keys(value).map((key) => (key in model ? (common.shift() ?? key) : key));
  return Object.fromEntries(keys.map((key) => [key, inOrderOf(model[key], value[key])]));
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The shortest way from `a` to `b`, by the longest common subsequence of the lines between equal ends. */
function diffLines(a: string[], b: string[]): Line[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const same = (text: string): Line => ({ sign: ' ', text });
  return [
    ...a.slice(0, start).map(same),
    ...diffMiddle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(same),
  ];
}

function diffMiddle(a: string[], b: string[]): Line[] {
  const lengths = commonLengths(a, b);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  const at = (x: number, y: number) => lengths[x]?.[y] ?? 0;
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left !== undefined && left === right) {
      lines.push({ sign: ' ', text: left });
      i++;
      j++;
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ sign: '-', text: left });
      i++;
    } else if (right !== undefined) {
      lines.push({ sign: '+', text: right });
      j++;
    }
  }
  return lines;
}

/** The length of the longest common subsequence of each pair of tails. */
function commonLengths(a: string[], b: string[]): number[][] {
  const lengths = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = lengths[i];
      const below = lengths[i + 1];
      if (row === undefined || below === undefined) continue;
      row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  return lengths;
}

interface Hunk {
  from: number;
  to: number;
}

function hunksOf(lines: Line[]): Hunk[] {
  const hunks: Hunk[] = [];
  for (const [index, { sign }] of lines.entries()) {
    if (sign === ' ') continue;
    const from = Math.max(0, index - CONTEXT);
    const to = Math.min(lines.length, index + CONTEXT + 1);
    const last = hunks.at(-1);
    if (last !== undefined && from <= last.to) last.to = to;
    else hunks.push({ from, to });
  }
  return hunks;
}

function headerOf(lines: Line[], { from, to }: Hunk): string {
  const count = (part: Line[], other: '+' | '-') => part.filter(({ sign }) => sign !== other).length;
  const before = lines.slice(0, from);
  const inside = lines.slice(from, to);
  const range = (other: '+' | '-') => `${count(before, other) + 1},${count(inside, other)}`;
  return `@@ -${range('+')} +${range('-')} @@`;
}
