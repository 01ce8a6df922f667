const blank = /^[ \t]*(?:#.*)?$/;
const assignment = /^[ \t]*([^=]*)=(.*)$/s;

/**
 * The value of `key` in an env file (KEP-3721): lines `NAME='value'`, value in single quotes and taken literally, over
 * several lines if need be. Empty when the key isn't there. Throws an Error with upstream's words for any other line.
 */
export const envFileValue = (text: string, key: string): string => {
  const lines = text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (blank.test(line)) continue;
    const number = index + 1;
    const { name, value } = parseAssignment(line, number);
    if (/^[ \t]/.test(value)) {
      // As in a shell, `NAME= 'x'` assigns nothing.
      if (name === key) return '';
      continue;
    }
    if (!value.startsWith("'")) throw formatError(number, 'value must be enclosed in single quotes');
    const quotedValue = readQuoted({ lines, index, rest: value.slice(1) });
    index = quotedValue.lastIndex;
    if (name === key) return quotedValue.value;
  }
  return '';
};

const parseAssignment = (line: string, number: number): { name: string; value: string } => {
  const [, name, value] = assignment.exec(line) ?? [];
  if (name === undefined || value === undefined) throw formatError(number, "missing '='");
  if (name.trimEnd() === '') throw formatError(number, 'empty variable name');
  if (/[ \t]$/.test(name)) throw formatError(number, "whitespace before '=' is not allowed");
  return { name, value };
};

interface Quoted {
  lines: readonly string[];
  /** The line that opens the quote. */
  index: number;
  /** What follows the opening quote on it. */
  rest: string;
}

const readQuoted = ({ lines, index, rest }: Quoted): { value: string; lastIndex: number } => {
  let value = '';
  for (let last = index, text = rest; ; last += 1, text = lines[last] ?? '') {
    if (last >= lines.length) {
      throw new Error(
        `invalid environment variable format starting at line ${index + 1}: unclosed single quote`,
      );
    }
    const end = text.indexOf("'");
    if (end < 0) {
      value += `${text}\n`;
      continue;
    }
    if (!blank.test(text.slice(end + 1))) {
      throw formatError(last + 1, 'unexpected content after closing quote');
    }
    return { value: value + text.slice(0, end), lastIndex: last };
  }
};

const formatError = (line: number, what: string): Error =>
  new Error(`invalid environment variable format at line ${line}: ${what}`);
