/** True when every label asked for is there with the same value. */
export const hasLabels = (labels: Record<string, string>, selector: Record<string, string>): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

/** True when nothing is asked for, or `id` begins with it. */
export const matchesId = (id: string, asked: string): boolean => asked === '' || id.startsWith(asked);

/** Cuts a list into pieces for the streaming RPCs, none of them empty. */
export function* inPieces<Item>(items: Item[], size = 100): Generator<Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
