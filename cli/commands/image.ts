import type { Command } from 'commander';
import { requireRoot } from '../failure.ts';

/** `podwright image load|pull|ls|rm|build-busybox`: the image store that the nodes of a cluster share. */
export function registerImage(program: Command): void {
  const image = program.command('image').description('the images of a cluster');
  const verb = (name: string, description: string): Command =>
    image.command(name).description(description).option('--name <name>', 'name of the cluster', 'default');
  const act = async (name: string, verbName: string, argument = ''): Promise<void> => {
    requireRoot(`podwright image ${verbName}`);
    const { imageCommand } = await import('../image-command.ts');
    await imageCommand(name, verbName, argument);
  };

  verb('load', 'load an OCI layout (folder or tar) or a docker archive')
    .argument('<file>')
    .action((file: string, { name }: { name: string }) => act(name, 'load', file));
  verb('pull', 'pull an image from its registry, through skopeo')
    .argument('<reference>')
    .action((reference: string, { name }: { name: string }) => act(name, 'pull', reference));
  verb('ls', 'list the images').action(({ name }: { name: string }) => act(name, 'ls'));
  verb('rm', 'remove an image')
    .argument('<reference>')
    .action((reference: string, { name }: { name: string }) => act(name, 'rm', reference));
  verb('build-busybox', "make docker.io/library/busybox:latest from the host's busybox").action(
    ({ name }: { name: string }) => act(name, 'build-busybox'),
  );
}
