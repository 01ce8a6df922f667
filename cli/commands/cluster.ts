import { type Command, InvalidArgumentError } from 'commander';
import { requireRoot } from '../failure.ts';

/** `up`, `down`, `status`, `kubeconfig` and `logs`: the life of a cluster. */
export function registerCluster(program: Command): void {
  program
    .command('up')
    .description('start a cluster, or what is not running of it; returns when all nodes are Ready')
    .option('--name <name>', 'name of the cluster', 'default')
    .option('--nodes <count>', 'number of nodes (of a new cluster: 1)', nodeCount)
    .option(
      '--zones <zones>',
      'availability zones such as cn-hangzhou-b,cn-hangzhou-c, dealt out to the workers',
      zoneList,
    )
    .option(
      '--force-detach-after <seconds>',
      'when to take a volume from a node that does not answer (360)',
      seconds,
    )
    .option('--disk-pool <dir>', 'folder for the disks, such as one on an xfs, where snapshots are instant')
    .option('--state-dir <dir>', 'folder for the durable state instead of /var/lib/podwright/NAME')
    .action(async ({ forceDetachAfter, ...options }: UpFlags) => {
      requireRoot('podwright up');
      const { upWithProgress } = await import('../up-progress.ts');
      await upWithProgress({
        ...options,
        ...(forceDetachAfter === undefined ? {} : { forceDetachAfterSeconds: forceDetachAfter }),
      });
    });
  program
    .command('down')
    .description('stop a cluster and remove everything it made; nothing is left')
    .option('--name <name>', 'name of the cluster', 'default')
    .action(async ({ name }: { name: string }) => {
      requireRoot('podwright down');
      const { down } = await import('../../cluster/down.ts');
      const { existed } = await down(name);
      process.stdout.write(existed ? `cluster ${name} is down\n` : `there is no cluster ${name}\n`);
    });
  program
    .command('status')
    .description('what runs, of one cluster or of all')
    .option('--name <name>', 'name of the cluster')
    .action(async ({ name }: { name?: string }) => {
      requireRoot('podwright status');
      const { printStatus } = await import('../print-status.ts');
      await printStatus(name);
    });
  program
    .command('kubeconfig')
    .description('print the path of the kubeconfig of a cluster')
    .option('--name <name>', 'name of the cluster', 'default')
    .action(async ({ name }: { name: string }) => {
      const { clusterPaths } = await import('../../cluster/paths.ts');
      process.stdout.write(`${clusterPaths(name).kubeconfig}\n`);
    });
  program
    .command('logs')
    .description('print the log of a component: control-plane, or the name of a node')
    .argument('<component>')
    .option('--name <name>', 'name of the cluster', 'default')
    .option('-f, --follow', 'go on as lines are written')
    .action(async (component: string, options: { name: string; follow?: boolean }) => {
      requireRoot('podwright logs');
      const { printLog } = await import('../print-log.ts');
      await printLog(component, options);
    });
}

interface UpFlags {
  name: string;
  nodes?: number;
  zones?: string[];
  forceDetachAfter?: number;
  diskPool?: string;
  stateDir?: string;
}

const zoneList = (text: string): string[] => text.split(',').map((zone) => zone.trim());

function seconds(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('It must be a whole number of seconds from 1.');
}

function nodeCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 50) return count;
  throw new InvalidArgumentError('It must be a whole number from 1 to 50.');
}
