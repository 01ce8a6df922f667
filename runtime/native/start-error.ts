import { getSystemErrorMap } from 'node:util';
import type { Plan } from './plan.ts';

/** A process that was not started: the step of its plan that failed, and why. */
export class StartError extends Error {
  /** The plan's line, such as `mount overlay /run/... overlay`; `exec` when the command itself is at fault. */
  readonly step: string;
  readonly errno: number;
  /** The errno's name. */
  readonly code: string;
  /** What a shell would say: 127 not found, 126 not executable, 128 for everything else. */
  readonly exitCode: number;

  constructor({ step, errno, message, exitCode }: StartFailure) {
    super(message);
    this.name = 'StartError';
    this.step = step;
    this.errno = errno;
    this.code = nameOf(errno);
    this.exitCode = exitCode;
  }
}

interface StartFailure {
  step: string;
  errno: number;
  message: string;
  exitCode: number;
}

/** What a report line `failed LINE ERRNO DETAIL` (plan.h) of this plan says, in runc's words where it has words. */
export function startErrorOf(plan: Plan, report: string, during = containerStart): StartError {
  const [, line = '0', number = '0', detail = ''] = report.trimEnd().split('\t');
  const errno = Number(number);
  const fields = plan.stepAt(Number(line));
  const [step = 'start'] = fields;
  if (step === 'exec' || step === 'command')
    return commandError(plan, { errno, found: detail === 'execve', during });
  const what = fields.map((field) => (field.length > 200 ? `${field.slice(0, 200)}…` : field)).join(' ');
  const words = explain(fields, errno) ?? `${what}: ${wordsOf(errno)}`;
  return new StartError({ step: what, errno, exitCode: 128, message: `${during}: ${words}` });
}

/** A warning line of a report, in words. */
export function warningOf(plan: Plan, report: string): string {
  const [, line = '0', number = '0'] = report.trimEnd().split('\t');
  return `${plan.stepAt(Number(line)).join(' ')}: ${wordsOf(Number(number))}`;
}

/** What runc says before the reason: when a container starts, and when a command starts in one. */
const containerStart = 'unable to start container process: error during container init';
export const commandStart = 'unable to start container process';

function explain([name, ...fields]: string[], errno: number): string | undefined {
  const step = name === 'trychdir' ? 'chdir' : name;
  if (step === 'chdir' && errno === EXDEV) {
    return 'current working directory is outside of container mount namespace root -- possible container breakout detected';
  }
  if (step === 'chdir')
    return `chdir to cwd ("${fields[0]}") set in config.json failed: ${plainWords(errno)}`;
  if (step === 'mountin' && errno === ELOOP)
    return `filesystem "${fields[2]}" must be mounted on ordinary directory`;
  if (step === 'mkdirin') return `mkdir ${fields[0]}: ${plainWords(errno)}`;
  if (step === 'take') return `error mounting "${fields[1]}" to rootfs: ${wordsOf(errno)}`;
  if (step === 'put' && errno === ENOTDIR) {
    return `error mounting to rootfs at "${fields[1]}": not a directory: are you trying to mount a directory onto a file (or vice-versa)?`;
  }
  return undefined;
}

const ENOENT = 2;
const ENOEXEC = 8;
const EACCES = 13;
const EXDEV = 18;
const ELOOP = 40;
const ENOTDIR = 20;
const EISDIR = 21;

interface CommandFailure {
  errno: number;
  /** The file was found, and the kernel refused it. */
  found: boolean;
  during: string;
}

/** Go's os/exec and runc say it like this; the kubelet shows it, and people search for it. */
function commandError(plan: Plan, { errno, found, during }: CommandFailure): StartError {
  const command = plan.argumentsOf()[0] ?? '';
  const exitCode = errno === ENOENT ? 127 : [EACCES, ENOEXEC, EISDIR].includes(errno) ? 126 : 128;
  const make = (words: string) =>
    new StartError({ step: 'exec', errno, exitCode, message: `${during}: ${words}` });
  if (found) return make(`exec ${command}: ${plainWords(errno)}`);
  if (errno !== ENOENT) return make(`exec: "${command}": ${plainWords(errno)}`);
  if (!command.includes('/')) return make(`exec: "${command}": executable file not found in $PATH`);
  return make(`exec: "${command}": stat ${command}: ${plainWords(errno)}`);
}

const nameOf = (errno: number): string =>
  getSystemErrorMap().get(-errno)?.[0] ?? (errno === ENOEXEC ? 'ENOEXEC' : `E${errno}`);

/** The C library's words where libuv's are different. */
const words: Record<number, string> = {
  [ENOEXEC]: 'exec format error',
  [EISDIR]: 'is a directory',
  [40]: 'too many levels of symbolic links',
};

const plainWords = (errno: number): string =>
  words[errno] ?? getSystemErrorMap().get(-errno)?.[1] ?? `errno ${errno}`;
const wordsOf = (errno: number): string => `${plainWords(errno)} (${nameOf(errno)})`;
