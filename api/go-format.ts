/**
 * A string in double quotes as Go's `%q` writes it: upstream's messages quote with it.
 * It differs from JSON in control characters only.
 */
export function quote(text: string): string {
  return JSON.stringify(text).replaceAll(/\\u00([0-9a-f]{2})/g, (_, hex: string) =>
    hex === '07' ? '\\a' : hex === '0b' ? '\\v' : `\\x${hex}`,
  );
}

/** A value as Go's encoding/json writes it: keys of maps sorted, and `<`, `>`, `&` escaped. */
export function goJson(value: unknown): string {
  const escaped: Record<string, string> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' };
  return (JSON.stringify(value) ?? 'null').replaceAll(
    /[<>&]/g,
    (character) => escaped[character] ?? character,
  );
}

/** A value as Go's `%v` prints it: `map[a:1 b:[x y]]`. */
export function goPrint(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goPrint).join(' ')}]`;
  if (typeof value !== 'object') return String(value as string | number | boolean);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, content]) => `${key}:${goPrint(content)}`).join(' ')}]`;
}
