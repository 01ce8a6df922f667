import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';

/**
 * Skips a test where the kernel or the machine lacks something, and says why: `if (skipUnless(t, root(), 'needs root')) return;`.
 * The line `SKIP reason` is what scripts/test counts and prints.
 */
export function skipUnless(t: ExecutionContext, condition: boolean, reason: string): boolean {
  if (condition) return false;
  t.log(`SKIP ${reason}`);
  t.pass();
  return true;
}

/** On a slow machine (an emulated one, say) every deadline is this many times longer: PODWRIGHT_PATIENCE, 1 when not set. */
export const patience = Number(process.env.PODWRIGHT_PATIENCE ?? 1);

export const isRoot = (): boolean => process.getuid?.() === 0;

/** True when this process holds a capability (its bit, linux/capability.h), such as 24 for SYS_RESOURCE. */
export function hasCapability(bit: number): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> BigInt(bit)) & 1n) === 1n;
}

/**
 * Polls until `look` gives something true, and returns it. What `look` throws counts as not yet. At the deadline (`patience` times
 * later) it fails with `what` it waited for, and the last error as the cause.
 */
export async function until<Value>(
  what: string,
  look: () => Value | Promise<Value>,
  timeoutMs = 30_000,
): Promise<Exclude<Value, undefined | null | false>> {
  const endMs = Date.now() + timeoutMs * patience;
  let cause: unknown;
  do {
    try {
      const found = await look();
      if (found) return found as Exclude<Value, undefined | null | false>;
    } catch (error) {
      cause = error;
    }
    await setTimeout(5);
  } while (Date.now() < endMs);
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause });
}

/** What a test could leave on the machine, by a mark that is in all its names. */
export interface Traces {
  mounts: string[];
  loopDevices: string[];
  networkNamespaces: string[];
  cgroups: string[];
  processes: string[];
}

const finders: { [Kind in keyof Traces]: (mark: string) => string[] } = {
  mounts: (mark) =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(mark)),
  loopDevices: (mark) => loopDevices().filter((line) => line.includes(mark)),
  networkNamespaces: (mark) => namesIn('/run/netns').filter((name) => name.includes(mark)),
  cgroups: (mark) => cgroupsWith('/sys/fs/cgroup', mark),
  processes: (mark) => processes().filter((line) => line.includes(mark)),
};

const allKinds = Object.keys(finders) as (keyof Traces)[];

/**
 * Everything on this machine whose name or path contains `mark`, of these kinds: compare before and after, or expect nothing.
 * Pick a mark that nobody else has (`kk-${process.pid}-x`).
 */
export function tracesOf(mark: string, kinds: (keyof Traces)[] = allKinds): Partial<Traces> {
  return Object.fromEntries(
    kinds.map((kind) => [kind, finders[kind](mark)]).filter(([, found]) => found?.length),
  );
}

/** Throws when anything with the mark is left; what is ending just now gets a moment. Also for teardowns. */
export async function expectNothingLeft(mark: string, kinds: (keyof Traces)[] = allKinds): Promise<void> {
  const none = () => Object.keys(tracesOf(mark, kinds)).length === 0;
  await until(`nothing left of ${mark}`, none, 15_000).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(tracesOf(mark, kinds), null, 2)}`);
  });
}

const namesIn = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory) : []);

function loopDevices(): string[] {
  return namesIn('/sys/block').flatMap((name) => {
    // Others on the machine take and leave loop devices meanwhile.
    const file = join('/sys/block', name, 'loop/backing_file');
    return readable(() => [`${name} ${readFileSync(file, 'utf8').trim()}`]);
  });
}

// A cgroup is found by the topmost directory that carries the mark.
function cgroupsWith(directory: string, mark: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) return [];
    return entry.name.includes(mark) ? [path] : readable(() => cgroupsWith(path, mark));
  });
}

function processes(): string[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) =>
      readable(() => [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`]),
    );
}

/** What ends while it is read counts as not there. */
function readable(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}

/**
 * Runs the text of an ES module in a mount namespace of its own, whose mounts are all private or all shared, and returns what it
 * printed. Nothing of it comes to the host, and it all goes with the process. `first` is a mount to begin with, in words of mount(8).
 */
export function inMountNamespace(
  script: string,
  { propagation, first }: { propagation: 'private' | 'shared'; first?: string },
): string {
  const commands = [
    ...(first === undefined ? [] : [`mount ${first}`]),
    `mount --make-r${propagation} /`,
    'exec "$0" --disable-warning=ExperimentalWarning --input-type=module -e "$1"',
  ];
  const namespace = ['--mount', '--propagation', 'private', '--', 'sh', '-c', commands.join(' && ')];
  return execFileSync('unshare', [...namespace, process.execPath, script], { encoding: 'utf8' });
}
