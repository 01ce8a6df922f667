import { existsSync, lstatSync, readlinkSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openCgroups } from '../cgroups/index.ts';
import { detachAllLoops } from '../csi/drivers/loop-disk/cloud/detach-all-loops.ts';
import { mountsBelow, unmountBelow } from '../linux/mount-info.ts';
import { removeClusterNetwork } from '../network/cluster-network.ts';
import { listDaemons, stopDaemon } from './daemons.ts';
import { endProcessesOf } from './leftover-processes.ts';
import { lockCluster } from './lock.ts';
import { checkClusterName, clusterPaths, RUN_ROOT, STATE_ROOT } from './paths.ts';

/**
 * Stops a cluster and removes everything that carries its name: processes, mounts, network, cgroups, files. Works from
 * what is there, not from what was recorded, so it also cleans up after daemons that were killed and after half an
 * `up`. Nothing there is fine.
 */
export async function down(name: string): Promise<{ existed: boolean }> {
  checkClusterName(name);
  await using _lock = await lockCluster(name);
  const { state, run } = clusterPaths(name);
  const existed = lstatSync(state, { throwIfNoEntry: false }) !== undefined || existsSync(run);

  // Nodes first: a control plane that still runs would only see its nodes vanish.
  const daemons = listDaemons(name);
  await Promise.all(daemons.map((daemon) => stopDaemon(name, daemon.name, { signal: 'SIGKILL' })));
  await endProcessesOf(name);
  const cgroups = openCgroups();
  await cgroups.removeCgroup(`/podwright/${name}`);
  if (cgroups.children('/podwright').length === 0) await cgroups.removeCgroup('/podwright');
  await removeClusterNetwork({ cluster: name });
  await removeDisks(name);
  removeFolder(state);
  removeFolder(run);
  for (const root of [STATE_ROOT, RUN_ROOT]) removeIfEmpty(root);
  return { existed };
}

/**
 * Disks are mounted by the nodes, so those let go first, then the loop devices, then the files. The state folder is a mount too,
 * and busy as long as a loop device has a file in it.
 */
async function removeDisks(name: string): Promise<void> {
  const { state, cloud } = clusterPaths(name);
  unmountBelow(join(placeOf(state), 'nodes'));
  await detachAllLoops({ dir: placeOf(cloud) });
  removeFolder(cloud);
}

const placeOf = (path: string): string =>
  lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : path;

/** Unmounts what is mounted below, then removes; never deletes across a mount point. */
function removeFolder(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  const folder = placeOf(path);
  unmountBelow(folder);
  const left = mountsBelow(folder);
  if (left.length > 0) {
    throw new Error(
      `remove ${folder}: still mounted below it: ${left.map(({ mountPoint }) => mountPoint).join(', ')}; nothing was deleted there`,
    );
  }
  rmSync(folder, { recursive: true, force: true });
  if (folder !== path) rmSync(path, { force: true });
}

function removeIfEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}
