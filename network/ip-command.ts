import { CommandError, run } from '../linux/command.ts';

export interface IpOptions {
  /** The name of a network namespace under /run/netns; the caller's own when left out. */
  netns?: string;
}

/**
 * Runs many `ip` commands in one process. Stops at the first failure and throws; with `force` it goes on past
 * failures and they are no error (ip(8), -batch and -force).
 */
export async function ipBatch(
  commands: string[],
  options: IpOptions & { force?: boolean } = {},
): Promise<void> {
  if (commands.length === 0) return;
  const force = options.force === true ? ['-force'] : [];
  try {
    await run('ip', [...inNetns(options), ...force, '-batch', '-'], { input: `${commands.join('\n')}\n` });
  } catch (error) {
    if (!(options.force === true && error instanceof CommandError)) throw error;
  }
}

/** Runs one `ip -json` query and returns its list. */
export async function ipQuery<Row>(args: string[], options: IpOptions = {}): Promise<Row[]> {
  const { stdout } = await run('ip', [...inNetns(options), '-json', ...args]);
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as Row[]);
}

const inNetns = ({ netns }: IpOptions): string[] => (netns === undefined ? [] : ['-netns', netns]);

/** Parts of what `ip -json address` and `ip -json link` print. */
export interface LinkRow {
  ifname: string;
  mtu?: number;
  addr_info?: { family: string; local: string; prefixlen: number }[];
}

/** Parts of what `ip -json route` prints. */
export interface RouteRow {
  dst: string;
  dev?: string;
  gateway?: string;
}
