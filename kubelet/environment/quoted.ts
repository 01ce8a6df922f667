const named: Record<string, string> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

// What Go's strconv.IsPrint says no to, and what it escapes by name.
const escapes = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** `text` in double quotes as Go's strconv.Quote and `%q` write it: the form in upstream's messages and files. */
export const quoted = (text: string): string => `"${text.replaceAll(escapes, escaped)}"`;

const escaped = (character: string): string => {
  const name = named[character];
  if (name !== undefined) return name;
  const code = character.codePointAt(0) ?? 0;
  const hex = (digits: number) => code.toString(16).padStart(digits, '0');
  if (code < 0x80) return `\\x${hex(2)}`;
  return code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
};
