/** The keys of a cache in byte order, for lists, namespaces (a prefix each) and pages. */
export class SortedKeys {
  readonly #keys: string[] = [];

  add(key: string): void {
    const at = this.#lowerBound(key);
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key);
  }

  remove(key: string): void {
    const at = this.#lowerBound(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  /** The keys that begin with `prefix`, from `from` on (a key, included when present). */
  *from(prefix: string, from = prefix): Generator<string> {
    for (let at = this.#lowerBound(from < prefix ? prefix : from); at < this.#keys.length; at++) {
      const key = this.#keys[at];
      if (key === undefined || !key.startsWith(prefix)) return;
      yield key;
    }
  }

  /** How many keys begin with `prefix`, from `from` on. */
  count(prefix: string, from = prefix): number {
    const first = this.#lowerBound(from < prefix ? prefix : from);
    return Math.max(this.#lowerBound(`${prefix}\uffff`) - first, 0);
  }

  #lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
