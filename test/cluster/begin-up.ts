import { writeClusterFile } from '../../cluster/cluster-file.ts';
import { prepareStateDir } from '../../cluster/state-dir.ts';

/** As far as an `up` of one node has come before it starts anything: the state folder, with the cluster file in it. */
export async function beginUp(name: string): Promise<void> {
  prepareStateDir(name);
  await writeClusterFile({
    version: 2,
    name,
    port: 6443,
    cidr: '10.244.0.0/16',
    bridgeIp: '10.244.0.1',
    nodes: [{ name: 'node-1', ip: '127.0.0.1', podCidr: '10.244.1.0/24', zone: 'local-a' }],
  });
}
