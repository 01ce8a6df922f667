import { existsSync, readFileSync } from 'node:fs';
import { writeFileDurably } from '../linux/files.ts';
import { clusterPaths } from './paths.ts';

/** What `up` decided once for a cluster, so that every later start finds the same addresses. */
export interface ClusterFile {
  version: 2;
  name: string;
  /** Port of the API server on loopback and on the bridge. */
  port: number;
  /** The /16 of the cluster, in which nodes and Pods have their addresses. */
  cidr: string;
  /** Address of the host on the cluster's bridge. */
  bridgeIp: string;
  nodes: NodeRecord[];
  /** How long a volume of a lost node waits for its unmount before it is detached by force; upstream's 6 minutes when missing. */
  forceDetachAfterSeconds?: number;
}

export interface NodeRecord {
  name: string;
  ip: string;
  podCidr: string;
  /** Its availability zone, which is also where its disks come from. */
  zone: string;
}

/** Reads the file of a cluster; undefined when there is none. Throws when it is not one that this version wrote. */
export function readClusterFile(name: string): ClusterFile | undefined {
  const path = clusterPaths(name).clusterFile;
  if (!existsSync(path)) return undefined;
  const file = parse(path);
  if (file?.version !== 2 || file.name !== name || !Array.isArray(file.nodes)) {
    throw new Error(
      `read cluster file ${path}: not a version 2 file of cluster '${name}'; take the cluster down with 'podwright down --name ${name}'`,
    );
  }
  return file;
}

function parse(path: string): ClusterFile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ClusterFile;
  } catch (cause) {
    throw new Error(`read cluster file ${path}: not valid JSON; take the cluster down and up again`, {
      cause,
    });
  }
}

export async function writeClusterFile(file: ClusterFile): Promise<void> {
  await writeFileDurably(clusterPaths(file.name).clusterFile, `${JSON.stringify(file, undefined, 2)}\n`);
}
