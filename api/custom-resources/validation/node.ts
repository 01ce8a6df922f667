/** A value as it was before an update. */
export interface Old {
  value: unknown;
}

/** Where a value stands: its path below `root`, the field that the whole check is of ('' or `status`). */
export interface Node {
  path: string;
  root: string;
  /** The value before an update, where it can be told which one that was. */
  old?: Old | undefined;
}

/** The field that an error is told of. */
export const fieldOf = ({ path, root }: Node): string => {
  const below = path.replace(/^\./, '');
  if (root === '') return below;
  return below === '' ? root : `${root}.${below}`;
};

/** A message's subject: `spec.replicas in body`. */
export const subject = ({ path }: Node): string => `${path} in body`;
