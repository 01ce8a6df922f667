import { constants } from 'node:os';
import { Listr } from 'listr2';
import { findStages, type UpOptions, type UpResult } from '../cluster/up.ts';

/**
 * Runs `up` with one line of progress a stage, and ends with how to use the cluster. Ctrl-C ends it as a shell expects, and leaves what
 * has been begun: listr2 on its own would exit with 127, which means that no such command was found.
 */
export async function upWithProgress(options: UpOptions): Promise<void> {
  const started = performance.now();
  const { stages, result } = findStages(options);
  const interrupted = (): void => leave(options.name ?? 'default');
  process.once('SIGINT', interrupted);
  try {
    await new Listr(
      stages.map(({ title, run }) => ({ title, task: run })),
      {
        rendererOptions: { collapseErrors: false },
        fallbackRenderer: 'verbose',
        registerSignalListeners: false,
      },
    ).run();
    printUse(await result(), (performance.now() - started) / 1000);
  } finally {
    process.off('SIGINT', interrupted);
  }
}

const SHOW_CURSOR = '\u001B[?25h';

function leave(name: string): never {
  const flag = name === 'default' ? '' : ` --name ${name}`;
  if (process.stdout.isTTY) process.stdout.write(SHOW_CURSOR); // the renderer hides it
  process.stderr.write(
    `\npodwright: up was interrupted; 'podwright up${flag}' goes on, 'podwright down${flag}' removes what there is\n`,
  );
  process.exit(128 + constants.signals.SIGINT);
}

function printUse({ name, kubeconfig, nodes }: UpResult, seconds: number): void {
  const flag = name === 'default' ? '' : ` --name ${name}`;
  process.stdout.write(
    [
      `cluster ${name}: ${nodes.length} node${nodes.length === 1 ? '' : 's'} Ready in ${seconds.toFixed(1)} s`,
      `  scripts/podwright kubectl${flag} get nodes`,
      `  export KUBECONFIG=${kubeconfig}`,
      `  scripts/podwright down${flag}`,
      '',
    ].join('\n'),
  );
}
