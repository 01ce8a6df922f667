import { isIPv4, isIPv6 } from 'node:net';

/**
 * The formats of strings that schemas of custom resources are held to; any other is passed over
 * (upstream: apiextensions-apiserver pkg/apiserver/validation/formats.go, kube-openapi pkg/validation/strfmt).
 */
const STRING_FORMATS: Record<string, (text: string) => boolean> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  uri: isRequestUri,
  email: (text) => /^[^\s@<>]+@[^\s@<>]+$|^.*<[^\s@<>]+@[^\s@<>]+>$/.test(text),
  hostname: isHostname,
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: isMac,
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid3: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid4: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  uuid5: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: (text) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
  rgbcolor: isRgbColor,
  byte: (text) =>
    /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text.replaceAll(/[\r\n]/g, '')),
  password: () => true,
  date: isDate,
  duration: (text) => parseDurationMs(text) !== undefined,
  datetime: isDateTime,
  k8sshortname: (text) => text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text),
  k8slongname: (text) =>
    text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text),
};

const NUMBER_FORMATS: Record<string, string[]> = { integer: ['int32', 'int64'], number: ['float', 'double'] };

const normalized = (format: string): string => format.replaceAll('-', '');

/** True when values of the type are held to the format. */
export function isKnownFormat(type: string | undefined, format: string): boolean {
  if (type === undefined || type === '' || type === 'string')
    return Object.hasOwn(STRING_FORMATS, normalized(format));
  return NUMBER_FORMATS[type]?.includes(format) === true;
}

/** True when the text has the format; formats that aren't known fit all. */
export const hasFormat = (text: string, format: string): boolean =>
  STRING_FORMATS[normalized(format)]?.(text) ?? true;

function isRequestUri(text: string): boolean {
  if (!/^[!-~\u0080-\uffff]*$/.test(text)) return false;
  return (
    text.startsWith('/') ||
    /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]/.test(text) ||
    /^[A-Za-z][A-Za-z0-9+.-]*:\/{0,2}\//.test(text)
  );
}

function isHostname(text: string): boolean {
  if (text.length > 255) return false;
  return text
    .replace(/\.$/, '')
    .split('.')
    .every((label) => /^[\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u.test(label));
}

function isCidr(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  if (bits === undefined || more !== undefined || !/^\d+$/.test(bits)) return false;
  return isIPv4(address) ? Number(bits) <= 32 : isIPv6(address) && Number(bits) <= 128;
}

function isMac(text: string): boolean {
  return (
    /^([0-9a-f]{2}:){5}[0-9a-f]{2}$|^([0-9a-f]{2}-){5}[0-9a-f]{2}$|^([0-9a-f]{4}\.){2}[0-9a-f]{4}$/i.test(
      text,
    ) || /^([0-9a-f]{2}[:-]){7}[0-9a-f]{2}$|^([0-9a-f]{2}[:-]){19}[0-9a-f]{2}$/i.test(text)
  );
}

function isIsbn10(text: string): boolean {
  const digits = text.replaceAll(/[\s-]/g, '');
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = Array.from(digits).reduce(
    (total, digit, index) => total + (10 - index) * (digit === 'X' ? 10 : Number(digit)),
    0,
  );
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replaceAll(/[\s-]/g, '');
  if (!/^\d{13}$/.test(digits)) return false;
  const sum = Array.from(digits).reduce(
    (total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3),
    0,
  );
  return sum % 10 === 0;
}

const CARD =
  /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/;

function isCreditCard(text: string): boolean {
  const digits = text.replaceAll(/\D/g, '');
  if (!CARD.test(digits)) return false;
  const sum = Array.from(digits)
    .toReversed()
    .reduce((total, digit, index) => {
      const doubled = index % 2 === 0 ? Number(digit) : Number(digit) * 2;
      return total + (doubled > 9 ? doubled - 9 : doubled);
    }, 0);
  return sum % 10 === 0;
}

function isRgbColor(text: string): boolean {
  const parts = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text)?.slice(1);
  return parts?.every((part) => Number(part) <= 255) === true;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function isDateTime(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d([.,]\d+)?([Zz]|[+-]\d\d:?\d\d)?$/.test(text) &&
    isDate(text.slice(0, 10)) &&
    /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d/.test(text.slice(11))
  );
}

const UNIT_MS: Record<string, number> = {
  ns: 1e-6,
  nano: 1e-6,
  nanosecond: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  micro: 1e-3,
  microsecond: 1e-3,
  ms: 1,
  milli: 1,
  millisecond: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  w: 604_800_000,
  wk: 604_800_000,
  week: 604_800_000,
};

/** `1h30m`, `22 ns`, `2 days`: Go's durations and Scala's; undefined for what is neither. */
function parseDurationMs(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  const go = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text);
  if (go !== null) {
    const parts = text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g);
    const sum = [...parts].reduce(
      (total, [, amount, unit = '']) => total + Number(amount) * (UNIT_MS[unit.replace('μ', 'µ')] ?? 0),
      0,
    );
    return go[1] === '-' ? -sum : sum;
  }
  const scala = /^(\d+)\s*([A-Za-zµ]+?)s?$/.exec(text.trim());
  const unit = UNIT_MS[scala?.[2] ?? ''] ?? UNIT_MS[`${scala?.[2] ?? ''}s`];
  return scala === null || unit === undefined ? undefined : Number(scala[1]) * unit;
}
