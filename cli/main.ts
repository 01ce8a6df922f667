import { enableCompileCache } from 'node:module';
import { Command } from 'commander';
import { registerCluster } from './commands/cluster.ts';
import { registerComponents } from './commands/components.ts';
import { registerImage } from './commands/image.ts';
import { registerKubectl } from './commands/kubectl.ts';
import { registerNode } from './commands/node.ts';
import { fail } from './failure.ts';

enableCompileCache();

const program = new Command('podwright')
  .description('A Kubernetes cluster of real processes, namespaces and mounts on this machine')
  .showHelpAfterError('(see podwright --help)')
  .enablePositionalOptions();

registerCluster(program);
registerKubectl(program);
registerImage(program);
registerNode(program);
registerComponents(program);

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
