import type { Command } from 'commander';
import { requireRoot } from '../failure.ts';

const components = {
  'control-plane': 'API server, controllers, scheduler and storage in one process',
  apiserver: 'the API server alone',
  controllers: 'the controllers alone',
  scheduler: 'the scheduler alone',
  storage: 'the disks of the cluster and the CSI sidecars alone',
};

const nodeComponents = {
  'node-daemon': 'runtime and kubelet of one node in one process',
  kubelet: 'the kubelet of one node alone',
  runtime: 'the container runtime of one node alone',
};

/** Each component as a process in the foreground; `up` starts the first of each group in the background. */
export function registerComponents(program: Command): void {
  for (const [component, description] of Object.entries(components)) {
    program
      .command(component)
      .description(`run in the foreground: ${description}`)
      .option('--name <name>', 'name of the cluster', 'default')
      .action(async ({ name }: { name: string }) => {
        requireRoot(`podwright ${component}`);
        const { runComponent } = await import('../../cluster/components.ts');
        await runComponent(component as keyof typeof components, name);
      });
  }
  for (const [component, description] of Object.entries(nodeComponents)) {
    program
      .command(component)
      .description(`run in the foreground, inside the node's network namespace: ${description}`)
      .option('--name <name>', 'name of the cluster', 'default')
      .option('--node <node>', 'name of the node', 'node-1')
      .action(async ({ name, node }: { name: string; node: string }) => {
        requireRoot(`podwright ${component}`);
        const { runNodeComponent } = await import('../../cluster/components.ts');
        await runNodeComponent(component as keyof typeof nodeComponents, name, node);
      });
  }
}
