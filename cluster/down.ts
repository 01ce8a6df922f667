import { existsSync, lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openCgroups } from '../cgroups/index.ts';
import { detachAllLoops } from '../csi/drivers/loop-disk/cloud/detach-all-loops.ts';
import { removeClusterNetwork } from '../network/cluster-network.ts';
import { listDaemons, stopDaemon } from './daemons.ts';
import { endProcessesOf } from './leftover-processes.ts';
import { lockCluster } from './lock.ts';
import { checkClusterName, clusterPaths, RUN_ROOT, STATE_ROOT } from './paths.ts';
import { isLink, realPlace } from './real-place.ts';
import { removeFolder, removeIfEmpty, unmountInside } from './remove-folder.ts';
import { holdsDisks, holdsState } from './state-marker.ts';

/**
 * Stops a cluster and removes everything that carries its name: processes, mounts, network, cgroups, files. Works from
 * what is there, not from what was recorded, so it also cleans up after daemons that were killed and after half an
 * `up`. Nothing there is fine.
 */
export async function down(name: string): Promise<{ existed: boolean }> {
  checkClusterName(name);
  await using _lock = await lockCluster(name);
  const existed = isThere(name);
  await takeDown(name);
  return { existed };
}

/** Whether there is anything of a cluster on disk, be it half an `up`. */
export function isThere(name: string): boolean {
  const { state, run } = clusterPaths(name);
  return lstatSync(state, { throwIfNoEntry: false }) !== undefined || existsSync(run);
}

/** As down(), for a caller that holds the cluster's lock. */
export async function takeDown(name: string): Promise<void> {
  const { run } = clusterPaths(name);
  const daemons = listDaemons(name);
  await Promise.all(daemons.map((daemon) => stopDaemon(name, daemon.name, { signal: 'SIGKILL' })));
  await endProcessesOf(name);
  const cgroups = openCgroups();
  await cgroups.removeCgroup(`/podwright/${name}`);
  // What is shared goes with the last cluster, by rmdir alone: another one may be coming up at this moment.
  cgroups.removeIfEmpty('/podwright');
  await removeClusterNetwork({ cluster: name });
  await removeState(name);
  removeFolder(run);
  for (const root of [STATE_ROOT, RUN_ROOT]) removeIfEmpty(root);
}

async function removeState(name: string): Promise<void> {
  const { state } = clusterPaths(name);
  if (isLink(state) && !holdsState(state, name)) return removeLink(state, `cluster ${name} is`);
  await removeDisks(name);
  return removeFolder(state);
}

/** Where the user's disk is not mounted that the link leads to, or another one is, nothing is ours but the link. */
function removeLink(link: string, whatIs: string): void {
  process.stderr.write(
    `podwright: warning: ${whatIs} not in ${realPlace(link)}; only the link to it was removed\n`,
  );
  rmSync(link);
}

/**
 * Disks are mounted by the nodes, so those let go first, then the loop devices, then the files. The state folder is a mount too,
 * and busy as long as a loop device has a file in it.
 */
async function removeDisks(name: string): Promise<void> {
  const { state, cloud } = clusterPaths(name);
  unmountInside(realPlace(join(state, 'nodes')));
  if (isLink(cloud) && !holdsDisks(cloud, name)) return removeLink(cloud, `disks of cluster ${name} are`);
  await detachAllLoops({ dir: realPlace(cloud) });
  return removeFolder(cloud);
}
