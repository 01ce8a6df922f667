import { quote } from '../../go-format.ts';
import { compilePattern } from '../patterns.ts';
import { formatText } from './format-text.ts';
import type { CelLibrary } from './library.ts';
import { evaluationFailure } from './library.ts';

function charAt(text: string, index: bigint): string {
  const letters = Array.from(text);
  if (index < 0n || index > BigInt(letters.length)) throw evaluationFailure(`index out of range: ${index}`);
  return letters[Number(index)] ?? '';
}

function replaceSome(text: string, old: string, replacement: string, limit: bigint): string {
  if (limit < 0n) return text.replaceAll(old, () => replacement);
  let result = text;
  let from = 0;
  for (let left = Number(limit); left > 0; left--) {
    const at = result.indexOf(old, from);
    if (at < 0) break;
    result = result.slice(0, at) + replacement + result.slice(at + old.length);
    from = at + replacement.length + (old === '' ? 1 : 0);
  }
  return result;
}

const reverse = (text: string): string => Array.from(text).toReversed().join('');

/** cel-go's ext strings, as far as the package hasn't them. */
export const textLibrary: CelLibrary = {
  namespaces: ['strings'],
  functions: [
    ['string.charAt(int): string', charAt],
    [
      'string.replace(string, string): string',
      (text: string, old: string, other: string) => replaceSome(text, old, other, -1n),
    ],
    ['string.replace(string, string, int): string', replaceSome],
    ['string.reverse(): string', reverse],
    ['string.format(list): string', formatText],
    ['Namespace.strings.quote(string): string', (_: object, text: string) => quote(text)],
  ],
};

/** Throws the error that ends the evaluation when the pattern is none. */
function compiled(pattern: string) {
  try {
    return compilePattern(pattern);
  } catch (error) {
    throw evaluationFailure(error instanceof Error ? error.message : String(error));
  }
}

/** True when the pattern matches a part of the text. */
export const matches = (text: string, pattern: string): boolean => compiled(pattern).matcher(text).find();

function findAll(text: string, pattern: string, limit = -1n): string[] {
  const matcher = compiled(pattern).matcher(text);
  const found: string[] = [];
  while ((limit < 0n || BigInt(found.length) < limit) && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}

/** Upstream: apiserver pkg/cel/library/regex.go. */
export const regexLibrary: CelLibrary = {
  functions: [
    ['matches(string, string): bool', matches],
    ['string.find(string): string', (text: string, pattern: string) => findAll(text, pattern, 1n)[0] ?? ''],
    ['string.findAll(string): list<string>', (text: string, pattern: string) => findAll(text, pattern)],
    ['string.findAll(string, int): list<string>', findAll],
  ],
};
