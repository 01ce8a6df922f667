/** What the plugins keep for one scheduling cycle of one pod; a key belongs to the plugin that made it. */
export interface CycleState {
  read<T>(key: StateKey<T>): T | undefined;
  write<T>(key: StateKey<T>, value: T): void;
}

/** Names a value in the state, and says what type it has. */
export interface StateKey<T> {
  readonly name: string;
  /** Never set: carries the type. */
  readonly valueType?: T;
}

export const stateKey = <T>(name: string): StateKey<T> => ({ name });

export const createCycleState = (): CycleState => {
  const values = new Map<StateKey<unknown>, unknown>();
  return {
    read: <T>(key: StateKey<T>) => values.get(key) as T | undefined,
    write: (key, value) => void values.set(key, value),
  };
};
