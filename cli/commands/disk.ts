import type { Command } from 'commander';
import { requireRoot } from '../failure.ts';

/** `podwright disk ls|create|rm`: the disks of a cluster's cloud, as its owner sees them beside Kubernetes. */
export function registerDisk(program: Command): void {
  const disk = program.command('disk').description("the disks in a cluster's cloud");
  const verb = (name: string, description: string): Command =>
    disk.command(name).description(description).option('--name <name>', 'name of the cluster', 'default');
  const act = async (verbName: string, cluster: string, options: DiskOptions = {}): Promise<void> => {
    requireRoot(`podwright disk ${verbName}`);
    const { diskCommand } = await import('../disk-command.ts');
    await diskCommand(cluster, verbName, options);
  };

  verb('ls', 'list the disks').action(({ name }: { name: string }) => act('ls', name));
  verb('create', 'make an empty disk, for a PersistentVolume that names it')
    .argument('<disk>')
    .requiredOption('--zone <zone>', 'where')
    .requiredOption('--size <quantity>', 'such as 1Gi')
    .action((name: string, options: { name: string; zone: string; size: string }) =>
      act('create', options.name, { disk: name, zone: options.zone, size: options.size }),
    );
  verb('rm', 'delete a disk that no node has')
    .argument('<disk>')
    .action((name: string, options: { name: string }) => act('rm', options.name, { disk: name }));
}

export interface DiskOptions {
  disk?: string;
  zone?: string;
  size?: string;
}
