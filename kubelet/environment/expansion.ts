/** What a variable's name stands for; undefined leaves the reference as it is written. */
export type Mapping = (name: string) => string | undefined;

/** The first of `contexts` that has the name. */
export const mappingOf =
  (...contexts: ReadonlyMap<string, string>[]): Mapping =>
  (name) =>
    contexts.find((context) => context.has(name))?.get(name);

// `$$`, `$(NAME)`, or a `$` that means nothing.
const reference = /\$(?:(\$)|\(([^)]*)\))/g;

/**
 * Replaces `$(NAME)` in `text`. `$$` is a `$` (so `$$(NAME)` stays `$(NAME)`), a reference to an unknown name, an
 * unclosed one and any other `$` stay as they are. Nothing that came out of a variable is expanded again.
 * The rules are those of the Kubernetes "expansion" design document.
 */
export const expand = (text: string, mapping: Mapping): string =>
  text.replaceAll(reference, (whole: string, escaped: string | undefined, name: string | undefined) =>
    escaped === undefined ? (mapping(name ?? '') ?? whole) : '$',
  );
