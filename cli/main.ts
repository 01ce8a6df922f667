import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { Command } from 'commander';
import { registerCluster } from './commands/cluster.ts';
import { registerComponents } from './commands/components.ts';
import { registerDisk } from './commands/disk.ts';
import { registerImage } from './commands/image.ts';
import { registerKubectl } from './commands/kubectl.ts';
import { registerNode } from './commands/node.ts';
import { fail } from './failure.ts';

// Shared by all commands and daemons: with it, a start takes half the time.
enableCompileCache(join(import.meta.dirname, '..', 'build', 'compile-cache'));

// A reader that goes away (`podwright up | head`) doesn't end what was begun.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const program = new Command('podwright')
  .description('A Kubernetes cluster of real processes, namespaces and mounts on this machine')
  .showHelpAfterError('(see podwright --help)')
  .enablePositionalOptions();

registerCluster(program);
registerKubectl(program);
registerImage(program);
registerDisk(program);
registerNode(program);
registerComponents(program);

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
