/** What is open at a place in the text: an object with the keys it has had, or an array with the index it is at. */
type Open = { keys: Set<string>; key: string } | { index: number };

/** A string, or a sign that opens, closes or parts. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/**
 * Tells of the keys that well-formed JSON text has twice in one object, such as `data.a` or `spec.containers[0].image`:
 * what JSON.parse passes over, and a strict reading refuses (upstream: sigs.k8s.io/json UnmarshalStrict).
 */
export function duplicateFields(text: string): string[] {
  const found = new Set<string>();
  eachKey(text, (open, isRepeated) => {
    if (isRepeated) found.add(duplicateField(pathOf(open)));
  });
  return [...found];
}

/** What reading JSON text found, duplicate and unknown fields, in the order in which one who reads it once comes by them. */
export function inTextOrder(text: string, errors: string[]): string[] {
  if (errors.length < 2) return errors; // nearly always: spare the text a second reading
  const places = new Map<string, number>();
  eachKey(text, (open, isRepeated) => {
    const error = isRepeated ? duplicateField(pathOf(open)) : unknownField(pathOf(open));
    if (!places.has(error)) places.set(error, places.size);
  });
  return errors.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
}

const duplicateField = (path: string): string => `duplicate field "${path}"`;

/** A field that its type doesn't have. */
export const unknownField = (path: string): string => `unknown field "${path}"`;

function eachKey(text: string, visit: (open: Open[], isRepeated: boolean) => void): void {
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
      visit(open, inside.keys.has(inside.key));
      inside.keys.add(inside.key);
    }
    const now = open.at(-1);
    expectsKey = (token === '{' || token === ',') && now !== undefined && 'keys' in now;
  }
}

const pathOf = (open: Open[]): string =>
  open
    .map((part) => ('index' in part ? `[${part.index}]` : `.${part.key}`))
    .join('')
    .replace(/^\./, '');
