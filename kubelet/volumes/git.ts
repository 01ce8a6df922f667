import { CommandError, run } from '../../linux/command.ts';

/** How a repository may be reached. Not `file` and `ssh`: they would use what root on the node may read. */
export const allowedProtocols: readonly string[] = ['https', 'http', 'git'];

const timeoutMs = 10 * 60_000;

const settings = [
  // No code of the repository, of a template or of the node's configuration runs.
  'core.hooksPath=/dev/null',
  'init.templateDir=',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  // Names that other file systems read as .git.
  'core.protectHFS=true',
  'core.protectNTFS=true',
  'transfer.fsckObjects=true',
  // Nobody's password goes to a server that a Pod names.
  'credential.helper=',
  'http.followRedirects=initial',
  'advice.detachedHead=false',
  'protocol.allow=never',
  ...allowedProtocols.map((name) => `protocol.${name}.allow=always`),
].flatMap((setting) => ['-c', setting]);

const environment = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  GIT_ALLOW_PROTOCOL: allowedProtocols.join(':'),
  HOME: '/nonexistent',
  LC_ALL: 'C',
};

export interface GitOptions {
  args: string[];
  cwd: string;
  signal: AbortSignal;
}

/** Runs git in a volume, trusting nothing of it. Rejects with upstream's words: `failed to exec 'git …': <output>: exit status N`. */
export const git = async ({ args, cwd, signal }: GitOptions): Promise<void> => {
  try {
    await run('git', [...settings, ...args], { cwd, signal, env: environment, timeoutMs });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const status = error.exitCode === undefined ? error.message : `exit status ${error.exitCode}`;
    const output = [error.stdout, error.stderr].join('\n').trim();
    throw new Error(`failed to exec 'git ${args.join(' ')}': ${output}: ${status}`, { cause: error });
  }
};
