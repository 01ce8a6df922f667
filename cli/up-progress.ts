import { Listr } from 'listr2';
import { findStages, type UpOptions, type UpResult } from '../cluster/up.ts';

/** Runs `up` with one line of progress a stage, and ends with how to use the cluster. */
export async function upWithProgress(options: UpOptions): Promise<void> {
  const started = performance.now();
  const { stages, result } = findStages(options);
  await new Listr(
    stages.map(({ title, run }) => ({ title, task: run })),
    { rendererOptions: { collapseErrors: false }, fallbackRenderer: 'verbose' },
  ).run();
  printUse(await result(), (performance.now() - started) / 1000);
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
