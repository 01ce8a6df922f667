/**
 * The formats of names. Each function returns what is wrong with a value, in the words of apimachinery
 * pkg/util/validation/validation.go and pkg/api/validate/content; nothing for a good value.
 */

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const labelKeyName = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = `(${labelKeyName})?`;
const configKey = '[-._a-zA-Z0-9]+';
const httpHeader = '[-A-Za-z0-9]+';

const maxLabelLength = 63;
const maxSubdomainLength = 253;

/** A label of RFC 1123: names of containers, ports, volumes, namespaces. */
export function isDns1123Label(value: string): string[] {
  const errors = tooLongFor(value, maxLabelLength);
  if (matches(value, label)) return errors;
  if (matches(value, subdomain)) return [...errors, 'must not contain dots'];
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...errors, regexError(message, label, ['my-name', '123-abc'])];
}

/** A subdomain of RFC 1123: names of most objects. */
export function isDns1123Subdomain(value: string): string[] {
  const errors = tooLongFor(value, maxSubdomainLength);
  if (matches(value, subdomain)) return errors;
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...errors, regexError(message, subdomain, ['example.com'])];
}

/** A label of RFC 1035: names of Services. */
export function isDns1035Label(value: string): string[] {
  const errors = tooLongFor(value, 63);
  if (matches(value, label1035)) return errors;
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...errors, regexError(message, label1035, ['my-name', 'abc-123'])];
}

/** `example.com/my-name` or `my-name`: keys of labels and annotations, names of resources, finalizers, taints. */
export function isQualifiedName(value: string): string[] {
  const parts = value.split('/');
  const name = parts.at(-1) ?? '';
  if (parts.length > 2)
    return [
      `a valid label key ${labelKeyShape()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const errors = parts.length === 2 ? prefixErrors(parts[0] ?? '') : [];
  if (name === '') errors.push('name part must be non-empty');
  else if (byteLength(name) > 63) errors.push('name part must be no more than 63 characters');
  if (!matches(name, labelKeyName)) errors.push(`name part ${labelKeyShape()}`);
  return errors;
}

function labelKeyShape(): string {
  const message =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return regexError(message, labelKeyName, ['MyName', 'my.name', '123-abc']);
}

function prefixErrors(prefix: string): string[] {
  if (prefix === '') return ['prefix part must be non-empty'];
  return isDns1123Subdomain(prefix).map((error) => `prefix part ${error}`);
}

export function isLabelValue(value: string): string[] {
  const errors = tooLongFor(value, 63);
  if (matches(value, labelValue)) return errors;
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...errors, regexError(message, labelValue, ['MyValue', 'my_value', '12345'])];
}

/** A key in the data of a ConfigMap or Secret: it becomes the name of a file. */
export function isConfigMapKey(value: string): string[] {
  const errors = tooLongFor(value, 253);
  if (!matches(value, configKey)) {
    const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    errors.push(regexError(message, configKey, ['key.name', 'KEY_NAME', 'key-name']));
  }
  return [...errors, ...parentFolderErrors(value)];
}

/** Any printable ASCII but `=` (RelaxedEnvironmentVariableValidation, general since 1.34). */
export function isEnvironmentVariableName(value: string): string[] {
  if (value === '') return ['environment variable name must be non-empty'];
  if (/^[ -<>-~]*$/.test(value)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export function isHttpHeaderName(value: string): string[] {
  if (matches(value, httpHeader)) return [];
  return [
    regexError("a valid HTTP header must consist of alphanumeric characters or '-'", httpHeader, [
      'X-Header-Name',
    ]),
  ];
}

/** An IANA service name (RFC 6335), lower case. */
export function isPortName(value: string): string[] {
  const errors = tooLongFor(value, 15);
  if (!/^[-a-z0-9]+$/.test(value))
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) errors.push('must contain at least one letter (a-z)');
  if (value.includes('--')) errors.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) errors.push('must not begin or end with a hyphen');
  return errors;
}

export function isPortNumber(port: number): string[] {
  return isInRange(port, 1, 65535);
}

/** A uid or gid. */
export function isUserOrGroupId(id: number): string[] {
  return isInRange(id, 0, 2147483647);
}

export function isInRange(value: number, low: number, high: number): string[] {
  return value >= low && value <= high ? [] : [`must be between ${low} and ${high}, inclusive`];
}

/** The length in bytes, as Go's len() counts. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

function parentFolderErrors(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

function tooLongFor(value: string, limit: number): string[] {
  return byteLength(value) > limit ? [`must be no more than ${limit} characters`] : [];
}

const compiled = new Map<string, RegExp>();

function matches(value: string, pattern: string): boolean {
  const regex = compiled.get(pattern) ?? new RegExp(`^(?:${pattern})$`);
  compiled.set(pattern, regex);
  return regex.test(value);
}

function regexError(message: string, pattern: string, examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`;
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${message} (e.g. ${shown}regex used for validation is '${pattern}')`;
}
