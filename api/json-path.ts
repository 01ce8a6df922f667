/**
 * JSONPath as kubectl and CustomResourceDefinitions have it: `.spec.x`, `['a.b']`, `[0]`, `[-1]`, `[1:3]`, `[*]`, `..name` and
 * `[?(@.type=="Ready")]` (https://kubernetes.io/docs/reference/kubectl/jsonpath/). Missing fields give no result.
 */
export type JsonPath = (value: unknown) => unknown[];

type Step = (value: unknown) => unknown[];

/** Parses a path without braces. Throws Error for what is none. */
export function parseJsonPath(text: string): JsonPath {
  const steps = new PathReader(text).steps();
  return (value) => steps.reduce((values, step) => values.flatMap(step), [value]);
}

class PathReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  steps(): Step[] {
    const steps: Step[] = [];
    if (this.#text.startsWith('$') || this.#text.startsWith('@')) this.#at = 1;
    while (this.#at < this.#text.length) steps.push(this.#step());
    return steps;
  }

  #step(): Step {
    if (this.#take('..')) return descend(this.#peek() === '[' ? this.#brackets() : this.#field());
    if (this.#peek() === '[') return this.#brackets();
    if (!this.#take('.')) throw new Error(`unexpected ${JSON.stringify(this.#peek())} in path ${this.#text}`);
    if (this.#at === this.#text.length) return (value) => [value];
    return this.#peek() === '[' ? this.#brackets() : this.#field();
  }

  #field(): Step {
    let name = '';
    while (this.#at < this.#text.length && !'.['.includes(this.#peek())) {
      if (this.#take('\\')) name += this.#next();
      else name += this.#next();
    }
    if (name === '') throw new Error(`empty field name in path ${this.#text}`);
    return name === '*' ? children : (value) => fieldOf(value, name);
  }

  #brackets(): Step {
    const content = this.#bracketContent();
    const quoted = /^'((?:[^'\\]|\\.)*)'$|^"((?:[^"\\]|\\.)*)"$/.exec(content);
    if (quoted !== null) {
      const name = (quoted[1] ?? quoted[2] ?? '').replaceAll(/\\(.)/g, '$1');
      return (value) => fieldOf(value, name);
    }
    if (content === '*') return children;
    if (/^-?\d+$/.test(content)) return (value) => itemAt(value, Number(content));
    const slice = /^(-?\d*):(-?\d*)(?::(\d*))?$/.exec(content);
    if (slice !== null) return sliceStep(slice);
    if (content.startsWith('?(') && content.endsWith(')')) return filterStep(content.slice(2, -1));
    throw new Error(`invalid array index ${content}`);
  }

  /** The text up to the matching bracket; brackets inside quotes and filters don't count. */
  #bracketContent(): string {
    this.#at++;
    const start = this.#at;
    let depth = 1;
    let quote = '';
    for (; this.#at < this.#text.length; this.#at++) {
      const letter = this.#peek();
      if (quote !== '') {
        if (letter === '\\') this.#at++;
        else if (letter === quote) quote = '';
      } else if (letter === '"' || letter === "'") quote = letter;
      else if (letter === '[') depth++;
      else if (letter === ']' && --depth === 0) return this.#text.slice(start, this.#at++).trim();
    }
    throw new Error('unterminated array');
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #next(): string {
    return this.#text[this.#at++] ?? '';
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const fieldOf = (value: unknown, name: string): unknown[] =>
  isMap(value) && Object.hasOwn(value, name) ? [value[name]] : [];

const children: Step = (value) =>
  Array.isArray(value) ? (value as unknown[]) : isMap(value) ? Object.values(value) : [];

function itemAt(value: unknown, index: number): unknown[] {
  if (!Array.isArray(value)) return [];
  const at = index < 0 ? value.length + index : index;
  return at in value ? [value[at] as unknown] : [];
}

function sliceStep([, from = '', to = '', step = '']: RegExpExecArray): Step {
  const start = from === '' ? 0 : Number(from);
  const end = to === '' ? undefined : Number(to);
  const width = step === '' ? 1 : Math.max(Number(step), 1);
  return (value) =>
    Array.isArray(value)
      ? (value as unknown[]).slice(start, end).filter((_item, index) => index % width === 0)
      : [];
}

/** The step on the value and on everything below it. */
const descend =
  (step: Step): Step =>
  (value) => [...step(value), ...children(value).flatMap((child) => descend(step)(child))];

function filterStep(condition: string): Step {
  const match = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/s.exec(condition.trim());
  if (match === null) {
    const exists = operand(condition.trim());
    return (value) => items(value).filter((item) => exists(item).length > 0);
  }
  const [, left = '', operator = '', right = ''] = match;
  const [a, b] = [operand(left.trim()), operand(right.trim())];
  return (value) =>
    items(value).filter((item) => {
      const [first] = a(item);
      const [second] = b(item);
      return first !== undefined && second !== undefined && compares(first, operator, second);
    });
}

const items = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** One side of a comparison: a path from the item, or a literal. */
function operand(text: string): Step {
  if (text.startsWith('@')) return parseJsonPath(text);
  const quoted = /^(["'])(.*)\1$/s.exec(text);
  if (quoted !== null) return () => [(quoted[2] ?? '').replaceAll(/\\(.)/g, '$1')];
  if (text === 'true' || text === 'false') return () => [text === 'true'];
  if (text !== '' && Number.isFinite(Number(text))) return () => [Number(text)];
  throw new Error(`unrecognized filter operand ${text}`);
}

function compares(first: unknown, operator: string, second: unknown): boolean {
  if (operator === '==') return first === second;
  if (operator === '!=') return first !== second;
  if (typeof first !== typeof second || (typeof first !== 'number' && typeof first !== 'string'))
    return false;
  const [a, b] = [first, second as typeof first];
  return operator === '<' ? a < b : operator === '>' ? a > b : operator === '<=' ? a <= b : a >= b;
}
