import test from 'ava';
import {
  defaultCapabilities,
  runtimeDefaultProfile,
  type SeccompProfile,
} from '../../../runtime/native/index.ts';
import { compileSeccomp } from '../../../runtime/native/seccomp.ts';
import { type Architecture, auditNumbers, syscallNumbers } from '../../../runtime/native/syscall-numbers.ts';

const ALLOW = 0x7fff0000;
const KILL_THREAD = 0;
const errno = (number: number): number => 0x00050000 | number;

/** Runs a filter as the kernel would (a small machine: load, and, jumps, return) and gives its answer. */
function answer(filter: Buffer, call: { architecture: number; number: number; args?: bigint[] }): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.architecture, 4);
  for (const [index, value] of (call.args ?? []).entries()) data.writeBigUInt64LE(value, 16 + index * 8);
  for (let at = 0, word = 0; at * 8 < filter.length; at++) {
    const [code, yes, no, value] = [
      filter.readUInt16LE(at * 8),
      filter[at * 8 + 2] ?? 0,
      filter[at * 8 + 3] ?? 0,
      filter.readUInt32LE(at * 8 + 4),
    ];
    if (code === 0x06) return value;
    else if (code === 0x20) word = data.readUInt32LE(value);
    else if (code === 0x54) word = (word & value) >>> 0;
    else if (code === 0x05) at += value;
    else if (code === 0x15) at += word === value ? yes : no;
    else if (code === 0x25) at += word > value ? yes : no;
    else if (code === 0x35) at += word >= value ? yes : no;
    else throw new Error(`instruction ${code}`);
  }
  throw new Error('no answer');
}

function asker(profile: SeccompProfile, architecture: Architecture, section: Architecture = architecture) {
  const filter = compileSeccomp(profile, architecture);
  return (name: string, ...args: bigint[]) =>
    answer(filter, {
      architecture: auditNumbers[section],
      number: syscallNumbers(section).get(name) ?? -1,
      args,
    });
}

for (const [architecture, section] of [
  ['x86_64', 'x86_64'],
  ['x86_64', 'i386'],
  ['aarch64', 'aarch64'],
] as const) {
  test(`RuntimeDefault on ${architecture} for programs of ${section}`, (t) => {
    const ask = asker(runtimeDefaultProfile({ capabilities: defaultCapabilities }), architecture, section);
    for (const name of ['read', 'openat', 'execve', 'futex', 'chroot', 'capset', 'ptrace'])
      t.is(ask(name), ALLOW, name);
    for (const name of [
      'mount',
      'unshare',
      'setns',
      'bpf',
      'reboot',
      'keyctl',
      'init_module',
      'io_uring_setup',
    ])
      t.is(ask(name), errno(1), name);
    t.is(ask('clone', 17n), ALLOW);
    t.is(ask('clone', 0x10000000n | 17n), errno(1), 'a user namespace');
    t.is(ask('clone3'), errno(38));
    t.deepEqual(
      [0n, 2n, 37n, 39n, 41n].map((family) => ask('socket', family)),
      Array(5).fill(ALLOW),
    );
    t.deepEqual(
      [38n, 40n].map((family) => ask('socket', family)),
      [errno(1), errno(1)],
    );
    t.deepEqual(
      [0n, 8n, 0xffffffffn].map((persona) => ask('personality', persona)),
      Array(3).fill(ALLOW),
    );
    t.is(ask('personality', 0x40000n), errno(1));
  });
}

test('a capability brings its system calls', (t) => {
  const ask = asker(runtimeDefaultProfile({ capabilities: ['CAP_SYS_ADMIN', 'sys_time'] }), 'x86_64');
  for (const name of ['mount', 'unshare', 'clone3', 'clock_settime'])
    t.is(ask(name, 0x10000000n), ALLOW, name);
  t.is(ask('chroot'), errno(1));
});

test('system calls newer than the profile do not exist', (t) => {
  const filter = compileSeccomp(runtimeDefaultProfile({ capabilities: [] }), 'x86_64');
  t.is(answer(filter, { architecture: auditNumbers.x86_64, number: 2000 }), errno(38));
});

test('what another ABI calls kills, also where the profile allows by default', (t) => {
  for (const profile of [
    runtimeDefaultProfile({ capabilities: [] }),
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }] },
  ]) {
    const filter = compileSeccomp(profile, 'x86_64');
    const ask = (architecture: number, number: number) => answer(filter, { architecture, number });
    t.is(ask(auditNumbers.x86_64, 0x40000000), KILL_THREAD, 'x32');
    t.is(ask(auditNumbers.x86_64, 0x40000000 + 83), KILL_THREAD, 'mkdir of x32');
    t.is(ask(auditNumbers.x86_64, 0xfffffffe), KILL_THREAD);
    t.not(ask(auditNumbers.x86_64, -1), KILL_THREAD, 'a tracer passed over the call');
    t.is(ask(auditNumbers.aarch64, 63), KILL_THREAD);
    t.is(
      answer(compileSeccomp(profile, 'aarch64'), { architecture: auditNumbers.x86_64, number: 0 }),
      KILL_THREAD,
    );
  }
});

test('every comparison, above and below 32 bits', (t) => {
  const big = 0x1_0000_0005n;
  const holds: Record<string, (value: bigint) => boolean> = {
    EQ: (value) => value === big,
    NE: (value) => value !== big,
    GT: (value) => value > big,
    GE: (value) => value >= big,
    LT: (value) => value < big,
    LE: (value) => value <= big,
    MASKED_EQ: (value) => (value & big) === 5n,
  };
  const values = [
    0n,
    4n,
    5n,
    6n,
    0x1_0000_0000n,
    0x1_0000_0004n,
    big,
    0x1_0000_0006n,
    0x2_0000_0000n,
    0x2_0000_0005n,
    0xffff_ffff_ffff_ffffn,
  ];
  for (const [name, expected] of Object.entries(holds)) {
    const args = [{ index: 2, value: big, valueTwo: 5n, op: `SCMP_CMP_${name}` }];
    const ask = asker(
      { defaultAction: 'SCMP_ACT_LOG', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args }] },
      'x86_64',
    );
    for (const value of values)
      t.is(ask('read', 0n, 0n, value) === ALLOW, expected(value), `${value} ${name} ${big}`);
  }
});

test('all conditions of a rule must hold; one rule of several is enough', (t) => {
  const condition = (index: number, value: number) => ({ index, value, op: 'SCMP_CMP_EQ' });
  const ask = asker(
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 13,
      syscalls: [
        { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW', args: [condition(0, 1), condition(1, 2)] },
        { names: ['read'], action: 'SCMP_ACT_ALLOW', args: [condition(0, 9)] },
        { names: ['write'], action: 'SCMP_ACT_KILL_PROCESS' },
      ],
    },
    'x86_64',
  );
  t.deepEqual(
    [ask('read', 1n, 2n), ask('read', 1n, 3n), ask('read', 9n, 0n), ask('close')],
    [ALLOW, errno(13), ALLOW, errno(13)],
  );
  t.deepEqual([ask('write', 1n, 2n), ask('write', 0n, 2n)], [ALLOW, 0x80000000]);
});
