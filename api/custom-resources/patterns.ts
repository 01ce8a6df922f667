import { RE2JS } from 're2js';

const compiled = new Map<string, RE2JS>();
const CACHE_LIMIT = 1000;

/**
 * A regular expression in RE2's syntax, as upstream's. It matches in time linear to the text, so that no pattern of a client can
 * block the server. Throws Error for what is none.
 */
export function compilePattern(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const regex = RE2JS.compile(pattern);
  if (compiled.size >= CACHE_LIMIT) compiled.clear();
  compiled.set(pattern, regex);
  return regex;
}

/** True when the pattern matches anywhere in the text. Throws Error for a pattern that is none. */
export const matchesPattern = (pattern: string, text: string): boolean =>
  compilePattern(pattern).matcher(text).find();
