import { closeSync, constants, openSync } from 'node:fs';
import { syscalls } from './libc.ts';
import { check } from './system-error.ts';

/** A device that may be used: undefined numbers are any, `access` is of the letters r, w, m. */
export interface AllowedDevice {
  type: string;
  major?: number;
  minor?: number;
  access: string;
}

/**
 * Attaches a BPF program to a v2 cgroup that refuses every device but these, by bpf(2): BPF_PROG_TYPE_CGROUP_DEVICE. It stays as long
 * as the cgroup. Throws SystemError.
 */
export function attachDeviceFilter(cgroupDirectory: string, allowed: AllowedDevice[]): void {
  const program = loadProgram(Buffer.concat([...prologue, ...allowed.map(allow), ...refuse]));
  try {
    attach(cgroupDirectory, program);
  } finally {
    closeSync(program);
  }
}

// eBPF instructions are 8 bytes: opcode, registers (destination and source), offset, immediate (linux/bpf.h).
function instruction(
  opcode: number,
  registers: { to: number; from?: number },
  offset = 0,
  immediate = 0,
): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(opcode, 0);
  bytes.writeUInt8(registers.to | ((registers.from ?? 0) << 4), 1);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(immediate, 4);
  return bytes;
}

const loadWord = 0x61;
const move32 = 0xbc;
const move32Immediate = 0xb4;
const and32Immediate = 0x54;
const shiftRight32Immediate = 0x74;
const jumpIfNotEqualImmediate = 0x55;
const jumpIfNotEqual = 0x5d;
const exit = 0x95;

const [result, scratch, type, access, major, minor] = [0, 1, 2, 3, 4, 5];

// struct bpf_cgroup_dev_ctx at r1: access << 16 | type, major, minor.
const prologue = [
  instruction(loadWord, { to: type, from: 1 }, 0),
  instruction(move32, { to: access, from: type }),
  instruction(and32Immediate, { to: type }, 0, 0xffff),
  instruction(shiftRight32Immediate, { to: access }, 0, 16),
  instruction(loadWord, { to: major, from: 1 }, 4),
  instruction(loadWord, { to: minor, from: 1 }, 8),
];

const refuse = [instruction(move32Immediate, { to: result }, 0, 0), instruction(exit, { to: 0 })];

const accessBits: Record<string, number> = { m: 1, r: 2, w: 4 };

/** One rule: every test that fails jumps behind it. */
function allow(rule: AllowedDevice): Buffer {
  const mask = Array.from(rule.access).reduce((sum, letter) => sum | (accessBits[letter] ?? 0), 0);
  const tests: ((offset: number) => Buffer)[] = [
    (offset) => instruction(jumpIfNotEqualImmediate, { to: type }, offset, rule.type === 'b' ? 1 : 2),
    () => instruction(move32, { to: scratch, from: access }),
    () => instruction(and32Immediate, { to: scratch }, 0, mask),
    (offset) => instruction(jumpIfNotEqual, { to: scratch, from: access }, offset),
  ];
  for (const [register, number] of [
    [major, rule.major],
    [minor, rule.minor],
  ] as const) {
    if (number !== undefined)
      tests.push((offset) => instruction(jumpIfNotEqualImmediate, { to: register }, offset, number));
  }
  const permit = [instruction(move32Immediate, { to: result }, 0, 1), instruction(exit, { to: 0 })];
  const length = tests.length + permit.length;
  return Buffer.concat([...tests.map((test, index) => test(length - index - 1)), ...permit]);
}

const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
const BPF_F_ALLOW_MULTI = 2;

function loadProgram(instructions: Buffer): number {
  const attributes = Buffer.alloc(48);
  const license = Buffer.from('Apache-2.0\0');
  attributes.writeUInt32LE(BPF_PROG_TYPE_CGROUP_DEVICE, 0);
  attributes.writeUInt32LE(instructions.length / 8, 4);
  attributes.writeBigUInt64LE(syscalls.addressOf(instructions), 8);
  attributes.writeBigUInt64LE(syscalls.addressOf(license), 16);
  return check(syscalls.bpf(BPF_PROG_LOAD, attributes), { operation: 'load device program' });
}

function attach(cgroupDirectory: string, program: number): void {
  const directory = openSync(cgroupDirectory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const attributes = Buffer.alloc(16);
    for (const [index, value] of [directory, program, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI].entries()) {
      attributes.writeUInt32LE(value, index * 4);
    }
    check(syscalls.bpf(BPF_PROG_ATTACH, attributes), {
      operation: 'attach device program to',
      path: cgroupDirectory,
    });
  } finally {
    closeSync(directory);
  }
}
