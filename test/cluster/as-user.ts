import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import pty from 'node-pty';
import { findKubectl } from '../../cli/find-kubectl.ts';
import { patience } from '../environment.ts';

/** What a command has answered; a failure is an answer too. */
export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

export interface KubectlOptions {
  kubeconfig: string;
  /** Path of another kubectl than the one that `podwright kubectl` runs. */
  program?: string;
  input?: string;
  env?: NodeJS.ProcessEnv;
}

/** Runs kubectl as a user at a shell would, with pipes for its input and output. */
export async function kubectl(args: string[], options: KubectlOptions): Promise<Answer> {
  const program = options.program ?? (await findKubectl());
  const env = { ...process.env, ...options.env, KUBECONFIG: options.kubeconfig };
  const child = spawn(program, args, { env });
  child.stdin.on('error', () => {}); // kubectl may end before it has read its input
  child.stdin.end(options.input ?? '');
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** A step at a terminal: when `sees` is on the screen (after the step before), do something. */
export interface Step {
  sees: string | RegExp;
  act: (terminal: pty.IPty) => void;
}

/** Runs kubectl on a terminal of its own through the steps; answers all that was on the screen and the exit code. */
export async function kubectlOnTerminal(
  args: string[],
  options: KubectlOptions & { steps: Step[]; columns: number; rows: number; timeoutMs?: number },
): Promise<{ code: number; screen: string; stepsDone: number }> {
  const program = options.program ?? (await findKubectl());
  const env = { ...process.env, KUBECONFIG: options.kubeconfig, TERM: 'xterm' };
  const terminal = pty.spawn(program, args, { cols: options.columns, rows: options.rows, env });
  const { promise, resolve } = Promise.withResolvers<number>();
  let screen = '';
  let seenUpTo = 0;
  let stepsDone = 0;
  terminal.onData((data) => {
    screen += data;
    for (let step = options.steps[stepsDone]; step !== undefined; step = options.steps[stepsDone]) {
      const rest = screen.slice(seenUpTo);
      const found = typeof step.sees === 'string' ? rest.indexOf(step.sees) : rest.search(step.sees);
      if (found < 0) return;
      seenUpTo = screen.length;
      stepsDone += 1;
      step.act(terminal);
    }
  });
  const timer = setTimeout(() => terminal.kill('SIGKILL'), (options.timeoutMs ?? 60_000) * patience);
  terminal.onExit(({ exitCode }) => resolve(exitCode));
  const code = await promise;
  clearTimeout(timer);
  return { code, screen, stepsDone };
}

/** Types a line and presses enter. */
export const type =
  (line: string) =>
  (terminal: pty.IPty): void =>
    terminal.write(`${line}\r`);
