import type { Command } from 'commander';
import { requireRoot } from '../failure.ts';

/** `podwright kubectl [--name NAME] ARGUMENTS`: kubectl against one cluster. */
export function registerKubectl(program: Command): void {
  program
    .command('kubectl')
    .description('run kubectl against a cluster (from PATH, else the one inside the npm packages)')
    .option('--name <name>', 'name of the cluster (put it first)', 'default')
    .argument('[arguments...]')
    .passThroughOptions()
    .helpOption(false)
    .allowUnknownOption()
    .action(async (args: string[], { name }: { name: string }) => {
      requireRoot('podwright kubectl');
      const { runKubectl } = await import('../run-kubectl.ts');
      process.exitCode = await runKubectl(name, args);
    });
}
