import type { SeccompArgument } from './seccomp-profile.ts';

/** Instructions of classic BPF (linux/filter.h), as seccomp(2) takes them: what a filter's parts are made of. */
export interface Instruction {
  code: number;
  /** How many instructions to pass over when the comparison holds, and when it does not. */
  whenTrue: number;
  whenFalse: number;
  value: number;
}

const load = 0x20; // the 32-bit word at an offset of struct seccomp_data
const and = 0x54;
const jumpIfEqual = 0x15;
const jumpIfGreater = 0x25;
const jumpIfGreaterOrEqual = 0x35;
const give = 0x06;

const plain = (code: number, value: number): Instruction => ({
  code,
  whenTrue: 0,
  whenFalse: 0,
  value: value >>> 0,
});
const jump = (code: number, value: number, whenTrue: number, whenFalse: number): Instruction => ({
  code,
  value: value >>> 0,
  whenTrue,
  whenFalse,
});

/** Ends the filter with an action. */
export const returnAction = (action: number): Instruction => plain(give, action);
export const loadNumber: Instruction = plain(load, 0);
export const loadArchitecture: Instruction = plain(load, 4);

/** Passes over the next `distance` instructions. */
export const passOver = (distance: number): Instruction => plain(0x05, distance);
/** Goes on when the word is the value, else passes over `distance` (at most 255). */
export const onlyIf = (value: number, distance: number): Instruction => jump(jumpIfEqual, value, 0, distance);
/** Goes on when first <= word <= last, else passes over `distance` counted from behind both. */
export const onlyWithin = (first: number, last: number, distance: number): Instruction[] => [
  jump(jumpIfGreaterOrEqual, first, 0, distance + 1),
  jump(jumpIfGreater, last, distance, 0),
];

export const seccompOperators = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map(
  (name) => `SCMP_CMP_${name}`,
);

/**
 * Compares a 64-bit argument, high word first; goes on when it holds, else passes over the rest of the part and `distance` more.
 */
export function onlyIfArgument(argument: SeccompArgument, distance: number): Instruction[] {
  const value = BigInt(argument.value);
  const offset = 16 + argument.index * 8;
  const words = {
    high: offset + 4,
    low: offset,
    highValue: Number(value >> 32n),
    lowValue: Number(value & 0xffffffffn),
  };
  switch (argument.op.replace('SCMP_CMP_', '')) {
    case 'EQ':
      return equal(words, { yes: 0, no: distance });
    case 'NE':
      return differs(words, distance);
    case 'GT':
      return compare(words, jumpIfGreater, { yes: 0, no: distance });
    case 'GE':
      return compare(words, jumpIfGreaterOrEqual, { yes: 0, no: distance });
    case 'LT':
      return compare(words, jumpIfGreaterOrEqual, { yes: distance, no: 0 });
    case 'LE':
      return compare(words, jumpIfGreater, { yes: distance, no: 0 });
    default:
      return maskedEqual(argument, words, distance);
  }
}

interface Words {
  high: number;
  low: number;
  highValue: number;
  lowValue: number;
}

interface Exits {
  yes: number;
  no: number;
}

const equal = (words: Words, { yes, no }: Exits): Instruction[] => [
  plain(load, words.high),
  jump(jumpIfEqual, words.highValue, 0, no + 2),
  plain(load, words.low),
  jump(jumpIfEqual, words.lowValue, yes, no),
];

const differs = (words: Words, distance: number): Instruction[] => [
  plain(load, words.high),
  jump(jumpIfEqual, words.highValue, 0, 2),
  plain(load, words.low),
  jump(jumpIfEqual, words.lowValue, distance, 0),
];

/** Greater (or equal): by the high words, and where those are the same by the low ones. */
const compare = (words: Words, code: number, { yes, no }: Exits): Instruction[] => [
  plain(load, words.high),
  jump(jumpIfGreater, words.highValue, yes + 3, 0),
  jump(jumpIfEqual, words.highValue, 0, no + 2),
  plain(load, words.low),
  jump(code, words.lowValue, yes, no),
];

function maskedEqual({ valueTwo = 0 }: SeccompArgument, words: Words, distance: number): Instruction[] {
  const expected = BigInt(valueTwo);
  return [
    plain(load, words.high),
    plain(and, words.highValue),
    jump(jumpIfEqual, Number(expected >> 32n), 0, distance + 3),
    plain(load, words.low),
    plain(and, words.lowValue),
    jump(jumpIfEqual, Number(expected & 0xffffffffn), 0, distance),
  ];
}

const actions: Record<string, number> = {
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

/** The filter's return value for an action, with the errno of those that carry one; undefined for an unknown action. */
export function seccompActionOf(name: string, errno: number): number | undefined {
  const value = actions[name];
  if (value === undefined) return undefined;
  return name === 'SCMP_ACT_ERRNO' || name === 'SCMP_ACT_TRACE' ? value | (errno & 0xffff) : value;
}

/** The bytes of a filter: struct sock_filter, 8 bytes each, in this machine's (little) endianness. */
export function encode(instructions: Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [index, { code, whenTrue, whenFalse, value }] of instructions.entries()) {
    if (whenTrue > 255 || whenFalse > 255) throw new Error('seccomp filter: a jump is too long');
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(whenTrue, index * 8 + 2);
    bytes.writeUInt8(whenFalse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  }
  return bytes;
}
