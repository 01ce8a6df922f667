import { isQualifiedName } from '../names.ts';
import { fieldErrorText, invalid } from '../validation/field-error.ts';
import { requirement } from './requirement.ts';
import type { Operator, Requirement } from './requirement.ts';

type TokenType = 'identifier' | 'end' | 'error' | Symbol;
type Symbol = ')' | ',' | '!' | '==' | '=' | '>' | 'in' | '<' | '!=' | 'notin' | '(';

interface Token {
  type: TokenType;
  text: string;
}

const symbols = new Set<string>([')', ',', '!', '==', '=', '>', 'in', '<', '!=', 'notin', '(']);
const operators: Partial<Record<TokenType, Operator>> = {
  in: 'in',
  '=': '=',
  '==': '==',
  '>': 'gt',
  '<': 'lt',
  notin: 'notin',
  '!=': '!=',
};

/**
 * Reads the requirements of a label selector's text:
 *
 *     selector     = requirement { "," requirement }
 *     requirement  = [ "!" ] KEY | KEY ("=" | "==" | "!=" | ">" | "<") [ VALUE ] | KEY ("in" | "notin") "(" values ")"
 *
 * Throws an Error with the words of apimachinery pkg/labels/selector.go.
 */
export function parseRequirements(text: string): Requirement[] {
  const tokens = new Tokens(text);
  const requirements: Requirement[] = [];
  for (;;) {
    const token = tokens.peek();
    if (token.type === 'end') return requirements;
    if (token.type !== 'identifier' && token.type !== '!')
      throw new Error(`found '${token.text}', expected: !, identifier, or 'end of string'`);
    requirements.push(parseOne(tokens));
    const next = tokens.take();
    if (next.type === 'end') return requirements;
    if (next.type !== ',') throw new Error(`found '${next.text}', expected: ',' or 'end of string'`);
    const after = tokens.peek();
    if (after.type !== 'identifier' && after.type !== '!')
      throw new Error(`found '${after.text}', expected: identifier after ','`);
  }
}

function parseOne(tokens: Tokens): Requirement {
  try {
    return parseRequirement(tokens);
  } catch (error) {
    throw new Error(`unable to parse requirement: ${(error as Error).message}`, { cause: error });
  }
}

function parseRequirement(tokens: Tokens): Requirement {
  const negated = tokens.peek().type === '!';
  if (negated) tokens.take();
  const { type, text: key } = tokens.take();
  if (type !== 'identifier') throw new Error(`found '${key}', expected: identifier`);
  const wrong = isQualifiedName(key);
  if (wrong.length > 0) throw new Error(fieldErrorText(invalid('<nil>', key, wrong.join('; '))));
  if (negated) return requirement(key, '!', []);
  if (['end', ','].includes(tokens.peek().type)) return requirement(key, 'exists', []);
  const operator = parseOperator(tokens);
  const values = operator === 'in' || operator === 'notin' ? parseValues(tokens) : parseExactValue(tokens);
  return requirement(key, operator, [...new Set(values)].toSorted());
}

function parseOperator(tokens: Tokens): Operator {
  const { type, text } = tokens.takeOperator();
  const operator = operators[type];
  if (operator === undefined) throw new Error(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
  return operator;
}

function parseExactValue(tokens: Tokens): string[] {
  if (['end', ','].includes(tokens.peek().type)) return [''];
  const { type, text } = tokens.take();
  if (type !== 'identifier') throw new Error(`found '${text}', expected: identifier`);
  return [text];
}

/** `(a,b)`; an empty place between commas is the empty value. */
function parseValues(tokens: Tokens): string[] {
  const open = tokens.take();
  if (open.type !== '(') throw new Error(`found '${open.text}' expected: '('`);
  const values: string[] = [];
  let value: string | undefined;
  for (;;) {
    const { type, text } = tokens.take();
    if (type === ')') return [...values, value ?? ''];
    if (type === ',') {
      values.push(value ?? '');
      value = undefined;
    } else if (type !== 'identifier') throw new Error(`found '${text}', expected: ',', ')' or identifier`);
    else if (value !== undefined) throw new Error(`found '${text}', expected: ',' or ')'`);
    else value = text;
  }
}

/** `in` and `notin` are words of the grammar after a key, and plain identifiers elsewhere. */
class Tokens {
  readonly #tokens: Token[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  peek(): Token {
    const token = this.#tokens[this.#position] ?? { type: 'end', text: '' };
    return token.type === 'in' || token.type === 'notin' ? { type: 'identifier', text: token.text } : token;
  }

  take(): Token {
    const token = this.peek();
    this.#position++;
    return token;
  }

  takeOperator(): Token {
    return this.#tokens[this.#position++] ?? { type: 'end', text: '' };
  }
}

function tokenize(text: string): Token[] {
  const matches = text.matchAll(/[ \t\r\n]*(==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+)/g);
  return [...matches].map(([, word = '']) => ({
    type: symbols.has(word) ? (word as Symbol) : 'identifier',
    text: word,
  }));
}
