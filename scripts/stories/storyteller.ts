import { execaSync } from 'execa';
import { stringify } from 'yaml';
import { findKubectl } from '../../cli/find-kubectl.ts';
import { clusterPaths } from '../../cluster/paths.ts';

const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint =
  (code: number) =>
  (text: string): string =>
    colour ? `\u001b[${code}m${text}\u001b[0m` : text;
const bold = paint(1);
const dim = paint(2);
const green = paint(32);
const red = paint(31);

/** Tells a story in steps on stdout: manifests, commands with their real output, and checks that must hold. */
export interface Storyteller {
  /** Begins a step. */
  step(title: string): void;
  /** A sentence for the reader. */
  say(text: string): void;
  /** Shows a manifest and applies it. */
  apply(...objects: object[]): void;
  /** Shows a kubectl command and its output, which is returned. Throws when it fails. */
  kubectl(...args: string[]): string;
  /** Shows a command on the host and its output, which is returned. Throws when it fails. */
  host(command: string, ...args: string[]): string;
  /** The same without showing: for what a reader need not see. */
  quietly(...kubectlArgs: string[]): string;
  /** Shows what was checked; throws when it does not hold. */
  check(claim: string, holds: boolean): void;
  /** Polls until `probe` returns neither undefined nor false; throws with `what` after the deadline. */
  until<T>(what: string, probe: () => T | undefined | false, timeoutMs?: number): Promise<T>;
  /** Ends the story: how to look further, with kubectl commands for the cluster, and how to take it down. */
  howToGoOn(kubectlCommands: string[]): void;
}

export async function storyteller(cluster: string): Promise<Storyteller> {
  const kubectlPath = await findKubectl();
  const env = { ...process.env, KUBECONFIG: clusterPaths(cluster).kubeconfig };
  let steps = 0;
  const out = (text: string): void => void process.stdout.write(`${text}\n`);
  let stepStarted = performance.now();
  const endStep = (): void => {
    if (steps > 0)
      out(dim(`(step ${steps} took ${((performance.now() - stepStarted) / 1000).toFixed(1)} s)`));
    stepStarted = performance.now();
  };

  const execute = (command: string, args: string[], input = ''): string => {
    return execaSync(command, args, { env, input }).stdout;
  };
  const shown = (label: string, command: string, args: string[], input?: string): string => {
    out(`${bold('$')} ${[label, ...args].map(quoted).join(' ')}`);
    const output = execute(command, args, input);
    if (output !== '') out(output);
    return output;
  };

  return {
    step(title) {
      endStep();
      out(`\n${bold(`${++steps}. ${title}`)}`);
    },
    say: out,
    apply(...objects) {
      const manifest = objects.map((object) => stringify(object)).join('---\n');
      out(dim(manifest.trimEnd()));
      shown('kubectl', kubectlPath, ['apply', '-f', '-'], manifest);
    },
    kubectl: (...args) => shown('kubectl', kubectlPath, args),
    host: (command, ...args) => shown(command, command, args),
    quietly: (...args) => execute(kubectlPath, args),
    check(claim, holds) {
      out(`${holds ? green('✓') : red('✗')} ${claim}`);
      if (!holds) throw new Error(`the demo expected: ${claim}`);
    },
    async until(what, probe, timeoutMs = 60_000) {
      const deadline = performance.now() + timeoutMs * patience;
      for (;;) {
        const value = probe();
        if (value !== undefined && value !== false) return value;
        if (performance.now() > deadline) throw new Error(`after ${timeoutMs / 1000} s still not: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    howToGoOn(kubectlCommands) {
      endStep();
      out('\nEvery step held. The cluster stays up; go on with:');
      for (const command of kubectlCommands) out(`  scripts/podwright kubectl --name ${cluster} ${command}`);
      out(`  export KUBECONFIG=${clusterPaths(cluster).kubeconfig}`);
      out(`and take it down with:\n  scripts/podwright down --name ${cluster}`);
    },
  };
}

/** On a slow machine every deadline is this many times longer. */
export const patience = Number(process.env.PODWRIGHT_PATIENCE ?? 1);

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`);

/** Runs a story; a check that fails ends it with exit code 1 and the way to look further. */
export async function tell(cluster: string, story: () => Promise<void>): Promise<void> {
  try {
    await story();
  } catch (error) {
    process.stderr.write(
      `\n${red('the demo failed')}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.stderr.write(`look further: scripts/podwright status --name ${cluster}\n`);
    process.exit(1);
  }
}
