import type { CelLibrary } from './library.ts';
import { evaluationFailure } from './library.ts';

const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;

/** A version such as 1.2.3-beta.1 (https://semver.org). */
class CelSemver {
  readonly numbers: bigint[];
  readonly prerelease: string[];

  constructor(text: string) {
    const match = SEMVER.exec(text);
    if (match === null)
      throw evaluationFailure(`semver parse error during conversion from string: ${JSON.stringify(text)}`);
    this.numbers = match.slice(1, 4).map(BigInt);
    this.prerelease = match[4]?.split('.') ?? [];
  }

  valueOf(): string {
    return `${this.numbers.join('.')}-${this.prerelease.join('.')}`;
  }
}

function compare(a: CelSemver, b: CelSemver): bigint {
  for (const [index, number] of a.numbers.entries()) {
    const other = b.numbers[index] ?? 0n;
    if (number !== other) return number < other ? -1n : 1n;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0)
    return BigInt(b.prerelease.length === 0 ? (a.prerelease.length === 0 ? 0 : -1) : 1);
  return comparePrerelease(a.prerelease, b.prerelease);
}

/** Numbers stand before words; a longer list stands after its beginning. */
function comparePrerelease(a: string[], b: string[]): bigint {
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1n;
    if (part === other) continue;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(part), /^\d+$/.test(other)];
    if (isNumber !== isOtherNumber) return isNumber ? -1n : 1n;
    if (isNumber) return BigInt(part) < BigInt(other) ? -1n : 1n;
    return part < other ? -1n : 1n;
  }
  return a.length < b.length ? -1n : 0n;
}

/** With true, `v1.02` counts as 1.2.0. */
const read = (text: string, normalize = false): CelSemver => {
  if (!normalize) return new CelSemver(text);
  const [, core = '', rest = ''] = /^v?([\d.]*)(.*)$/.exec(text) ?? [];
  const numbers = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  while (numbers.length < 3) numbers.push('0');
  return new CelSemver(numbers.join('.') + rest);
};

function reads(text: string, normalize = false): boolean {
  try {
    read(text, normalize);
    return true;
  } catch {
    // That is the answer.
    return false;
  }
}

const number = (index: number) => (version: CelSemver) => version.numbers[index] ?? 0n;

/** Upstream: apiserver pkg/cel/library/semverlib.go. */
export const semverLibrary: CelLibrary = {
  types: { 'kubernetes.Semver': CelSemver },
  functions: [
    ['isSemver(string): bool', (text: string) => reads(text)],
    ['isSemver(string, bool): bool', reads],
    ['semver(string): kubernetes.Semver', (text: string) => read(text)],
    ['semver(string, bool): kubernetes.Semver', read],
    ['kubernetes.Semver.major(): int', number(0)],
    ['kubernetes.Semver.minor(): int', number(1)],
    ['kubernetes.Semver.patch(): int', number(2)],
    [
      'kubernetes.Semver.isGreaterThan(kubernetes.Semver): bool',
      (a: CelSemver, b: CelSemver) => compare(a, b) > 0n,
    ],
    [
      'kubernetes.Semver.isLessThan(kubernetes.Semver): bool',
      (a: CelSemver, b: CelSemver) => compare(a, b) < 0n,
    ],
    ['kubernetes.Semver.compareTo(kubernetes.Semver): int', compare],
  ],
};
