import { nodeNetnsPath } from '../network/names.ts';
import { readClusterFile } from './cluster-file.ts';
import { type Daemon, startDaemon, stopDaemon } from './daemons.ts';
import { lockCluster } from './lock.ts';
import { waitUntilReady } from './wait-until-ready.ts';

/** Starts the process of a node inside the node's network namespace; one that runs is left alone. */
export function startNodeDaemon(cluster: string, node: string): Daemon {
  return startDaemon({
    cluster,
    name: node,
    command: ['node-daemon', '--name', cluster, '--node', node],
    netns: nodeNetnsPath({ cluster, node }),
  });
}

/** Starts a stopped node and returns when it is Ready. Throws when the cluster has no such node. */
export async function startNode(cluster: string, node: string): Promise<void> {
  const file = findNode(cluster, node);
  await using _lock = await lockCluster(cluster);
  startNodeDaemon(cluster, node);
  await waitUntilReady({ ...file, nodes: file.nodes.filter(({ name }) => name === node) });
}

/** Ends the process of a node; its Pods go on running, and the cluster sees the node as it would a crashed one. */
export async function stopNode(cluster: string, node: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  findNode(cluster, node);
  await using _lock = await lockCluster(cluster);
  await stopDaemon(cluster, node, { signal });
}

function findNode(cluster: string, node: string) {
  const file = readClusterFile(cluster);
  if (file === undefined) throw new Error(`there is no cluster '${cluster}'`);
  if (file.nodes.some(({ name }) => name === node)) return file;
  throw new Error(
    `cluster '${cluster}' has no node '${node}' (it has ${file.nodes.map(({ name }) => name).join(', ')})`,
  );
}
