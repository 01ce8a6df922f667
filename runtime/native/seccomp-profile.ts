import { seccompActionOf, seccompOperators } from './seccomp-filter.ts';

/** A seccomp profile: `linux.seccomp` of the OCI runtime specification, which a Localhost profile's JSON file holds. */
export interface SeccompProfile {
  defaultAction: string;
  /** For SCMP_ACT_ERRNO and SCMP_ACT_TRACE; EPERM when not given. */
  defaultErrnoRet?: number;
  syscalls: SeccompRule[];
}

export interface SeccompRule {
  names: string[];
  action: string;
  errnoRet?: number;
  /** All must hold. */
  args?: SeccompArgument[];
}

export interface SeccompArgument {
  /** 0 to 5. */
  index: number;
  value: number | bigint;
  /** For SCMP_CMP_MASKED_EQ: argument & value === valueTwo. */
  valueTwo?: number | bigint;
  op: string;
}

/** Reads a Localhost profile. Throws an Error that names the field when it is not one; unknown system calls are passed over. */
export function parseSeccompProfile(json: string): SeccompProfile {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new Error('seccomp profile is not JSON', { cause: error });
  }
  const { defaultAction, defaultErrnoRet, syscalls = [] } = record(value, 'profile');
  const profile: SeccompProfile = {
    defaultAction: action(defaultAction, 'defaultAction'),
    syscalls: list(syscalls, 'syscalls').map((rule, index) => parseRule(rule, `syscalls[${index}]`)),
  };
  if (defaultErrnoRet != null) profile.defaultErrnoRet = integer(defaultErrnoRet, 'defaultErrnoRet');
  return profile;
}

function parseRule(value: unknown, path: string): SeccompRule {
  const fields = record(value, path);
  const rule: SeccompRule = {
    names: list(fields['names'], `${path}.names`).map((name) => text(name, `${path}.names`)),
    action: action(fields['action'], `${path}.action`),
    args: list(fields['args'] ?? [], `${path}.args`).map((item, index) =>
      parseArgument(item, `${path}.args[${index}]`),
    ),
  };
  if (fields['errnoRet'] != null) rule.errnoRet = integer(fields['errnoRet'], `${path}.errnoRet`);
  return rule;
}

function parseArgument(value: unknown, path: string): SeccompArgument {
  const fields = record(value, path);
  const op = text(fields['op'], `${path}.op`);
  if (!seccompOperators.includes(op))
    throw new Error(`seccomp profile: ${path}.op: unknown operator "${op}"`);
  const index = integer(fields['index'], `${path}.index`);
  if (index > 5) throw new Error(`seccomp profile: ${path}.index: a system call has arguments 0 to 5`);
  const argument = { index, value: integer(fields['value'], `${path}.value`), op };
  return fields['valueTwo'] == null
    ? argument
    : { ...argument, valueTwo: integer(fields['valueTwo'], `${path}.valueTwo`) };
}

function action(value: unknown, path: string): string {
  const name = text(value, path);
  if (seccompActionOf(name, 0) === undefined)
    throw new Error(`seccomp profile: ${path}: unknown action "${name}"`);
  return name;
}

function record(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`seccomp profile: ${path}: not an object`);
  }
  return value as Record<string, unknown>;
}

function list(value: unknown, path: string): unknown[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw new Error(`seccomp profile: ${path}: not a list`);
  return value;
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new Error(`seccomp profile: ${path}: not a string`);
  return value;
}

function integer(value: unknown, path: string): number {
  if (typeof value !== 'number' || value < 0 || !Number.isInteger(value)) {
    throw new Error(`seccomp profile: ${path}: not a whole number`);
  }
  return value;
}
