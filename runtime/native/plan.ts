import { bytesOfText } from '../../linux/byte-text.ts';

/** A plan for podwright-shim: one step per line (plan.h tells the format). TypeScript decides here; the shim only obeys. */
export interface Plan {
  /** A line for whoever reads the file. */
  comment(words: string): void;
  /** A step that must succeed. */
  step(name: StepName, ...fields: (string | number | bigint)[]): void;
  /** A step whose failure is a warning. */
  tolerate(name: StepName, ...fields: (string | number | bigint)[]): void;
  /** A step that may find nothing at its path. */
  ifThere(name: StepName, ...fields: (string | number | bigint)[]): void;
  /** The step at a line of the file, from 1: its name and fields. */
  stepAt(line: number): string[];
  /** The command's words. */
  argumentsOf(): string[];
  /** The file's content. */
  toBytes(): Buffer;
}

export type StepName =
  | 'mount'
  | 'propagation'
  | 'take'
  | 'attributes'
  | 'put'
  | 'root'
  | 'mountin'
  | 'mkdirin'
  | 'nodein'
  | 'linkin'
  | 'readonlyin'
  | 'maskin'
  | 'attributesin'
  | 'pivot'
  | 'write'
  | 'cgroup'
  | 'cgroupof'
  | 'move'
  | 'join'
  | 'enter'
  | 'enteralso'
  | 'unshare'
  | 'fork'
  | 'hostname'
  | 'rlimit'
  | 'keyring'
  | 'umask'
  | 'bounding'
  | 'ids'
  | 'effective'
  | 'capabilities'
  | 'nonewprivs'
  | 'seccomp'
  | 'trychdir'
  | 'chdir'
  | 'session'
  | 'terminal'
  | 'owner'
  | 'deathsignal'
  | 'log'
  | 'oomfile'
  | 'killfile'
  | 'tty'
  | 'stdin'
  | 'stdinonce'
  | 'argument'
  | 'environment'
  | 'command'
  | 'exec';

/** Makes an empty plan. Its methods throw on a NUL byte, which no path, argument or variable can hold. */
export function createPlan(): Plan {
  const lines: string[] = [];
  const steps: string[][] = [];
  const add = (mark: string, fields: string[]) => {
    if (fields.some((field) => field.includes('\0'))) throw new Error(nulByteIn(fields));
    steps[lines.length] = fields;
    lines.push(mark + fields.map(escapeField).join('\t'));
  };
  return {
    comment: (words) => void lines.push(`# ${words.replaceAll('\n', ' ')}`),
    step: (...fields) => add('', fields.map(String)),
    tolerate: (...fields) => add('?', fields.map(String)),
    ifThere: (...fields) => add('~', fields.map(String)),
    stepAt: (line) => steps[line - 1] ?? [],
    argumentsOf: () =>
      steps.flatMap(([name, word]) => (name === 'argument' && word !== undefined ? [word] : [])),
    toBytes: () => bytesOfText(`${lines.join('\n')}\n`),
  };
}

/** Never the value, which may be a Secret's; runc's words for a variable. */
function nulByteIn([step = '', word = '']: string[]): string {
  const name = word.slice(0, Math.max(word.indexOf('='), 0));
  const holder = step === 'environment' ? `invalid environment variable ${JSON.stringify(name)}` : step;
  return `${holder}: contains nul byte (\\x00)`;
}

function escapeField(field: string): string {
  return field.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n');
}

/** A bit mask as the plan has it. */
export const bits = (mask: number | bigint): string => `0x${mask.toString(16)}`;

/** The CLONE_NEW bits of namespaces (clone(2)). */
export const namespaceBits = {
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  pid: 0x20000000,
  network: 0x40000000,
  mount: 0x00020000,
} as const;

/** Bits of mount(2). */
export const mountBits = {
  readOnly: 1,
  noSuid: 2,
  noDevices: 4,
  noExec: 8,
  recursive: 16384,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
  relativeAccessTime: 1 << 21,
  strictAccessTime: 1 << 24,
} as const;
