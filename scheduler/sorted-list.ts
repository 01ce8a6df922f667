/** A list that keeps its order as it grows, with access by id. */
export interface SortedList<T> {
  insert(item: T): void;
  first(): T | undefined;
  shift(): T | undefined;
  shiftWhere(condition: (item: T) => boolean): T | undefined;
  remove(id: string): T | undefined;
  has(id: string): boolean;
  readonly size: number;
}

/** `isBefore` orders; an item that is equal to others comes after them. */
export const createSortedList = <T>(
  isBefore: (a: T, b: T) => boolean,
  idOf: (item: T) => string,
): SortedList<T> => {
  const items: T[] = [];
  const byId = new Map<string, T>();

  const takeAt = (index: number): T | undefined => {
    const [item] = index < 0 ? [] : items.splice(index, 1);
    if (item !== undefined) byId.delete(idOf(item));
    return item;
  };

  return {
    insert(item) {
      let [low, high] = [0, items.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        const other = items[middle];
        if (other !== undefined && isBefore(item, other)) high = middle;
        else low = middle + 1;
      }
      items.splice(low, 0, item);
      byId.set(idOf(item), item);
    },
    first: () => items[0],
    shift: () => takeAt(items.length === 0 ? -1 : 0),
    shiftWhere: (condition) => takeAt(items.findIndex(condition)),
    remove(id) {
      const item = byId.get(id);
      return item === undefined ? undefined : takeAt(items.indexOf(item));
    },
    has: (id) => byId.has(id),
    get size() {
      return items.length;
    },
  };
};
