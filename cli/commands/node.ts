import type { Command } from 'commander';
import { requireRoot } from '../failure.ts';

/** `podwright node stop|start|kill NODE`: the daemons of a node; its Pods go on running. */
export function registerNode(program: Command): void {
  const node = program.command('node').description('stop, start or kill the daemons of a node');
  const verbs = {
    stop: 'end the node process with SIGTERM; Pods go on running',
    start: 'start the node process again; it finds its Pods',
    kill: 'end the node process with SIGKILL, as a crash would',
  };
  for (const [verb, description] of Object.entries(verbs)) {
    node
      .command(verb)
      .description(description)
      .argument('<node>')
      .option('--name <name>', 'name of the cluster', 'default')
      .action(async (nodeName: string, { name }: { name: string }) => {
        requireRoot(`podwright node ${verb}`);
        const nodes = await import('../../cluster/node-daemons.ts');
        if (verb === 'start') await nodes.startNode(name, nodeName);
        else await nodes.stopNode(name, nodeName, verb === 'kill' ? 'SIGKILL' : 'SIGTERM');
        process.stdout.write(`node ${nodeName}: ${verb === 'start' ? 'started' : 'stopped'}\n`);
      });
  }
}
