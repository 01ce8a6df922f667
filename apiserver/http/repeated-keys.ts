/** What is open at a place in the text: an object with the keys it has had, or an array with the index it is at. */
type Open = { keys: Set<string>; key: string } | { index: number };

/** A string, or a sign that opens, closes or parts. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/**
 * Paths of the keys that well-formed JSON text has twice in one object, such as `data.a` or `spec.containers[0].image`:
 * what JSON.parse passes over, and a strict reading refuses (upstream: sigs.k8s.io/json UnmarshalStrict).
 */
export function repeatedKeys(text: string): string[] {
  const found: string[] = [];
  const open: Open[] = [];
  let expectsKey = false;
  for (const [token] of text.matchAll(TOKENS)) {
    const inside = open.at(-1);
    if (token === '{') open.push({ keys: new Set(), key: '' });
    else if (token === '[') open.push({ index: 0 });
    else if (token === '}' || token === ']') open.pop();
    else if (token === ',' && inside !== undefined && 'index' in inside) inside.index += 1;
    else if (expectsKey && token !== ',' && inside !== undefined && 'keys' in inside) {
      inside.key = JSON.parse(token) as string;
      if (inside.keys.has(inside.key)) found.push(pathOf(open));
      inside.keys.add(inside.key);
    }
    const now = open.at(-1);
    expectsKey = (token === '{' || token === ',') && now !== undefined && 'keys' in now;
  }
  return [...new Set(found)];
}

const pathOf = (open: Open[]): string =>
  open
    .map((part) => ('index' in part ? `[${part.index}]` : `.${part.key}`))
    .join('')
    .slice(1);
