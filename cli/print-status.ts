import { clientFromKubeconfig } from '../client/kubeconfig.ts';
import { nodes } from '../client/resources.ts';
import { readClusterFile, type ClusterFile } from '../cluster/cluster-file.ts';
import { findDaemon } from '../cluster/daemons.ts';
import { isThere } from '../cluster/down.ts';
import { clusterNames, clusterPaths } from '../cluster/paths.ts';

/** Prints what runs of one cluster, or of all there are. Exit code 1 when one is not there or can't be read, which hides no other. */
export async function printStatus(name: string | undefined): Promise<void> {
  const names = name === undefined ? clusterNames() : [name];
  if (names.length === 0) process.stdout.write('there is no cluster\n');
  for (const each of names) await printCluster(each).catch((error: unknown) => printTrouble(each, error));
}

function printTrouble(name: string, error: unknown): void {
  process.stdout.write(`cluster ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function printCluster(name: string): Promise<void> {
  const file = readClusterFile(name);
  if (file === undefined) {
    const rest = `is not whole: 'podwright up --name ${name}' goes on with it, 'podwright down --name ${name}' removes it`;
    process.stdout.write(isThere(name) ? `cluster ${name} ${rest}\n` : `there is no cluster ${name}\n`);
    process.exitCode = 1;
    return;
  }
  const ready = await readyNodes(file);
  const rows = [
    ['control-plane', daemonState(name, 'control-plane'), `https://127.0.0.1:${file.port}`],
    ...file.nodes.map((node) => [
      node.name,
      daemonState(name, node.name),
      `${node.ip}, Pods ${node.podCidr}, ${ready.get(node.name) ?? 'unknown'}`,
    ]),
  ];
  process.stdout.write(`cluster ${name} (${clusterPaths(name).state})\n`);
  for (const [component = '', state = '', detail = ''] of rows) {
    process.stdout.write(`  ${component.padEnd(14)} ${state.padEnd(18)} ${detail}\n`);
  }
}

function daemonState(cluster: string, daemon: string): string {
  const found = findDaemon(cluster, daemon);
  return found === undefined ? 'not running' : `running, pid ${found.pid}`;
}

/** Ready, NotReady or Unknown by node; empty when the API server does not answer. */
async function readyNodes({ name }: ClusterFile): Promise<Map<string, string>> {
  if (findDaemon(name, 'control-plane') === undefined) return new Map();
  const client = clientFromKubeconfig(clusterPaths(name).kubeconfig);
  try {
    const { items } = await client.resource(nodes).list({ signal: AbortSignal.timeout(3000) });
    return new Map(
      items.map(({ metadata, status }) => {
        const ready = (status?.conditions ?? []).find(({ type }) => type === 'Ready')?.status;
        return [
          metadata?.name ?? '',
          ready === 'True' ? 'Ready' : ready === 'False' ? 'NotReady' : 'Unknown',
        ];
      }),
    );
  } catch {
    return new Map(); // status tells what runs also when the API server does not answer
  } finally {
    client.close();
  }
}
