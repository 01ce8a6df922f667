import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';

/** Why an expression doesn't compile, laid out as cel-go does: the place, the message, the line and a mark below it. */
export function compilationIssue(error: unknown, expression: string): string {
  const isCel =
    error instanceof CelTypeError || error instanceof ParseError || error instanceof EvaluationError;
  if (!isCel) return `ERROR: <input>:1:1: ${error instanceof Error ? error.message : String(error)}`;
  const isField = error.code === 'no_such_key';
  const start = Math.max((error.range?.start ?? 0) - (isField ? 1 : 0), 0);
  const before = expression.slice(0, start);
  const line = before.split('\n').length;
  const column = start - (before.lastIndexOf('\n') + 1);
  const text = expression.split('\n')[line - 1] ?? '';
  const message =
    error instanceof ParseError ? `Syntax error: ${error.summary}` : translated(error.code, error.summary);
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${text}\n | ${'.'.repeat(column)}^`;
}

/** The package's messages in cel-go's words. */
function translated(code: string, summary: string): string {
  const named = /^(?:No such key|Unknown variable): (.*)$/.exec(summary)?.[1] ?? '';
  if (code === 'no_such_key') return `undefined field '${named}'`;
  if (code === 'unknown_variable') return `undeclared reference to '${named}' (in container '')`;
  const operator = /^no such overload: (.+) (==|!=|<=|>=|<|>|\+|-|\*|\/|%|in) (.+)$/.exec(summary);
  if (operator !== null) {
    const [, left = '', symbol = '', right = ''] = operator;
    return `found no matching overload for '${symbol === 'in' ? '@in' : `_${symbol}_`}' applied to '(${left}, ${right})'`;
  }
  const call = /^found no matching overload for '(?:(.*)\.)?([\w]+)\((.*)\)'$/.exec(summary);
  if (call === null) return summary;
  const [, receiver, name = '', given = ''] = call;
  const applied = receiver === undefined ? `(${given})` : `${receiver}.(${given})`;
  return `found no matching overload for '${name}' applied to '${applied}'`;
}

/** Why an evaluation ended, in cel-go's words: `no such key: foo`. */
export function evaluationIssue(error: unknown): string {
  const text =
    error instanceof EvaluationError ? error.summary : error instanceof Error ? error.message : String(error);
  const outOfBounds = /index out of bounds, index (-?\d+)/.exec(text);
  if (outOfBounds !== null) return `index out of bounds: ${outOfBounds[1] ?? ''}`;
  if (text.startsWith('integer overflow')) return 'integer overflow';
  return text.replace(/^No such key/, 'no such key').replace(/^modulo by zero$/, 'modulus by zero');
}
