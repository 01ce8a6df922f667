import {
  encode,
  type Instruction,
  loadArchitecture,
  loadNumber,
  onlyIf,
  onlyIfArgument,
  onlyWithin,
  passOver,
  returnAction,
  seccompActionOf,
} from './seccomp-filter.ts';
import type { SeccompProfile, SeccompRule } from './seccomp-profile.ts';
import { type Architecture, auditNumbers, nativeArchitecture, syscallNumbers } from './syscall-numbers.ts';

const EPERM = 1;
const ENOSYS = 38;
const mostInstructions = 4096; // BPF_MAXINSNS

/**
 * Compiles a profile into a BPF filter for seccomp(2): the architecture first, then the rules with conditions, then the others as
 * ranges of numbers, then the default action. A system call of an ABI that the filter does not know is no question for the profile: it kills,
 * as with libseccomp (SCMP_FLTATR_ACT_BADARCH), for a profile that allows by default would let it by. Throws when the filter would be longer than the kernel takes.
 */
export function compileSeccomp(
  profile: SeccompProfile,
  architecture: Architecture = nativeArchitecture(),
): Buffer {
  const known = compiled.get(profile)?.get(architecture);
  if (known !== undefined) return known;
  const filter = compile(profile, architecture);
  compiled.set(profile, (compiled.get(profile) ?? new Map<Architecture, Buffer>()).set(architecture, filter));
  return filter;
}

/** Some milliseconds of work that most containers have in common. */
const compiled = new WeakMap<SeccompProfile, Map<Architecture, Buffer>>();

function compile(profile: SeccompProfile, architecture: Architecture): Buffer {
  const architectures: Architecture[] = architecture === 'x86_64' ? ['x86_64', 'i386'] : [architecture];
  const sections = architectures.flatMap((name) => architectureSection(profile, name));
  const instructions = [loadArchitecture, ...sections, killForeign];
  if (instructions.length > mostInstructions)
    throw new Error(`seccomp filter has ${instructions.length} instructions`);
  return encode(instructions);
}

const killForeign = returnAction(actionOf('SCMP_ACT_KILL'));

/**
 * x32 calls by the same architecture as x86_64, with bit 30 in the number. -1 is what a tracer leaves of a call that is to be passed over
 * (seccomp(2)).
 */
const refuseX32 = [...onlyWithin(0x40000000, 0xfffffffe, 1), killForeign];

const defaultOf = ({ defaultAction, defaultErrnoRet }: SeccompProfile): number =>
  actionOf(defaultAction, defaultErrnoRet);

function actionOf(name: string, errno: number = EPERM): number {
  const action = seccompActionOf(name, errno);
  if (action === undefined) throw new Error(`seccomp action ${name} is not supported`);
  return action;
}

function architectureSection(profile: SeccompProfile, architecture: Architecture): Instruction[] {
  const numbers = syscallNumbers(architecture);
  const conditional = profile.syscalls.filter(({ args = [] }) => args.length > 0);
  const body = [
    loadNumber,
    ...(architecture === 'x86_64' ? refuseX32 : []),
    ...conditional.flatMap((rule) => conditionalRule(rule, numbers)),
    ...ranges(profile, numbers).flatMap(({ first, last, action }) => [
      ...onlyWithin(first, last, 1),
      returnAction(action),
    ]),
    ...unknownCalls(profile, numbers),
    returnAction(defaultOf(profile)),
  ];
  return [onlyIf(auditNumbers[architecture], 1), passOver(1), passOver(body.length), ...body];
}

/** A rule with conditions: all of its arguments must hold. The system call's number is loaded again for what follows. */
function conditionalRule(rule: SeccompRule, numbers: Map<string, number>): Instruction[] {
  return numbersOf(rule, numbers).flatMap((number) => {
    let conditions: Instruction[] = [returnAction(actionOf(rule.action, rule.errnoRet))];
    for (const argument of (rule.args ?? []).toReversed()) {
      conditions = [...onlyIfArgument(argument, conditions.length), ...conditions];
    }
    return [onlyIf(number, conditions.length + 1), ...conditions, loadNumber];
  });
}

interface Range {
  first: number;
  last: number;
  action: number;
}

/** Rules without conditions, neighbours with the same action put together. The first rule for a system call counts. */
function ranges(profile: SeccompProfile, numbers: Map<string, number>): Range[] {
  const actions = new Map<number, number>();
  for (const rule of profile.syscalls) {
    if ((rule.args ?? []).length > 0) continue;
    for (const number of numbersOf(rule, numbers)) {
      if (!actions.has(number)) actions.set(number, actionOf(rule.action, rule.errnoRet));
    }
  }
  const result: Range[] = [];
  for (const [number, action] of [...actions].sort(([a], [b]) => a - b)) {
    const previous = result.at(-1);
    if (previous?.last === number - 1 && previous.action === action) previous.last = number;
    else result.push({ first: number, last: number, action });
  }
  return result;
}

const numbersOf = ({ names }: SeccompRule, numbers: Map<string, number>): number[] =>
  names.flatMap((name) => numbers.get(name) ?? []);

/**
 * System calls that are newer than all in the profile do not exist as far as the container is concerned: a program asks for them
 * and falls back when the answer is ENOSYS, but gives up at EPERM (as runc's stub before the filter does).
 */
function unknownCalls(profile: SeccompProfile, numbers: Map<string, number>): Instruction[] {
  const refuses = profile.defaultAction === 'SCMP_ACT_ERRNO' && (profile.defaultErrnoRet ?? EPERM) === EPERM;
  const newest = Math.max(0, ...profile.syscalls.flatMap((rule) => numbersOf(rule, numbers)));
  if (!refuses || newest === 0) return [];
  return [...onlyWithin(newest + 1, 0x3fffffff, 1), returnAction(actionOf('SCMP_ACT_ERRNO', ENOSYS))];
}
