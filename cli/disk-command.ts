import { quantityValue } from '../api/quantity.ts';
import { clusterPaths } from '../cluster/paths.ts';
import { CloudUnreachable, connectCloud } from '../csi/drivers/loop-disk/cloud/client.ts';
import type { CloudClient } from '../csi/drivers/loop-disk/cloud/client.ts';
import type { DiskView } from '../csi/drivers/loop-disk/cloud/types.ts';
import type { DiskOptions } from './commands/disk.ts';

/** Runs one verb of `podwright disk` on the cloud of a cluster. */
export async function diskCommand(cluster: string, verb: string, options: DiskOptions): Promise<void> {
  const act = verbs[verb];
  if (act === undefined) throw new Error(`disk: unknown verb '${verb}'`);
  const cloud = connectCloud(clusterPaths(cluster).cloudSocket);
  try {
    await act(cloud, options);
  } catch (error) {
    if (!(error instanceof CloudUnreachable)) throw error;
    throw new Error(
      `disk ${verb}: the cloud of cluster '${cluster}' does not answer; start it with 'podwright up --name ${cluster}'`,
      { cause: error },
    );
  } finally {
    cloud.close();
  }
}

const verbs: Record<string, (cloud: CloudClient, options: DiskOptions) => Promise<void>> = {
  async ls(cloud) {
    const disks = await allDisks(cloud);
    print(row(['DISK', 'ID', 'ZONE', 'SIZE', 'USED', 'ATTACHED TO', 'DEVICE']));
    for (const disk of disks) print(row(cellsOf(disk)));
  },
  async create(cloud, { disk = '', zone = '', size = '' }) {
    const made = await cloud.createDisk({ name: disk, zone, sizeBytes: bytesOf(size) });
    print(`disk ${made.name} (${made.id}) is in zone ${made.zone}`);
  },
  async rm(cloud, { disk = '' }) {
    const found = (await allDisks(cloud)).find(({ name, id }) => name === disk || id === disk);
    if (found === undefined) throw new Error(`disk rm: there is no disk '${disk}' (see 'podwright disk ls')`);
    await cloud.deleteDisk(found.id);
    print(`disk ${found.name} (${found.id}) is deleted`);
  },
};

async function allDisks(cloud: CloudClient): Promise<DiskView[]> {
  const disks: DiskView[] = [];
  let token: string | undefined;
  do {
    const page = await cloud.listDisks(token === undefined ? {} : { token });
    disks.push(...page.items);
    token = page.next;
  } while (token !== undefined);
  return disks;
}

function bytesOf(size: string): number {
  try {
    return quantityValue(size);
  } catch (cause) {
    throw new Error(`disk create: --size ${size} is no quantity; give one such as 1Gi`, { cause });
  }
}

const cellsOf = ({ name, id, zone, sizeBytes, usedBytes, attachments, devicePath = '' }: DiskView) => [
  name,
  id,
  zone,
  mebibytes(sizeBytes),
  mebibytes(usedBytes),
  attachments.map(({ instance }) => instance).join(','),
  devicePath,
];
const widths = [44, 24, 18, 10, 10, 16, 0];
const row = (cells: string[]): string =>
  cells
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join(' ')
    .trimEnd();
const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)}Mi`;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
