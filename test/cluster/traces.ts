import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { clusterPaths } from '../../cluster/paths.ts';
import { listLoops } from '../../linux/loop-device.ts';
import { readMountInfo } from '../../linux/mount-info.ts';
import { run } from '../../linux/command.ts';
import { bridgeName, tableName } from '../../network/names.ts';

/** Everything on this machine that carries the name of a cluster, one line each: empty when nothing is left of it. */
export function traces(cluster: string): string[] {
  const { state, run: runDir } = clusterPaths(cluster);
  return [
    ...[state, runDir].filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined),
    ...readMountInfo()
      .filter(
        ({ mountPoint }) =>
          mountPoint.includes(`/podwright/${cluster}/`) || mountPoint.endsWith(`/podwright/${cluster}`),
      )
      .map(({ mountPoint }) => `mount ${mountPoint}`),
    ...(existsSync('/run/netns') ? readdirSync('/run/netns') : [])
      .filter((name) => new RegExp(`^podwright-${cluster}-node-\\d+$`).test(name))
      .map((name) => `netns ${name}`),
    ...Object.keys(networkInterfaces())
      .filter((name) => name.startsWith(bridgeName(cluster)))
      .map((name) => `link ${name}`),
    ...listLoops()
      .filter(({ backingFile }) => backingFile.includes(`/podwright/${cluster}/`))
      .map(({ path, backingFile }) => `loop device ${path} of ${backingFile}`),
    ...cgroupsOf(cluster),
    ...processesOf(cluster),
  ];
}

/** nft tables are asked apart, because that takes a command. */
export async function nftTables(cluster: string): Promise<string[]> {
  const { stdout } = await run('nft', ['list', 'tables']);
  return stdout.split('\n').filter((line) => line.endsWith(` ${tableName(cluster)}`));
}

function cgroupsOf(cluster: string): string[] {
  return ['', ...readdirSync('/sys/fs/cgroup')]
    .map((controller) => `/sys/fs/cgroup/${controller}/podwright/${cluster}`)
    .filter((path) => existsSync(path))
    .map((path) => `cgroup ${path}`);
}

function processesOf(cluster: string): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) => {
      const cgroup = textOf(`/proc/${pid}/cgroup`);
      const command = textOf(`/proc/${pid}/cmdline`);
      return cgroup.includes(`/podwright/${cluster}/`) || command.includes(`/podwright/${cluster}/`);
    })
    .map((pid) => `process ${pid} ${textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
}

/** A process may end while it is looked at. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
