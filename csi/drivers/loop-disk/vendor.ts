import { createHash } from 'node:crypto';
import type { Disk } from './cloud/types.ts';

/** The driver's own name. */
export const LOOP_DISK = 'loop-disk.csi.podwright.io';

/** What a disk is called, as far as a handle says. */
export type DiskName = { id: string } | { name: string; zone?: string };

/**
 * How a driver of this name speaks: the forms of its volume handles, node ids and topology keys. The same driver
 * serves, under their CSI names, the volumes that were in-tree types once; their forms are fixed by what Kubernetes
 * translates into (csi-translation-lib's gce_pd.go and aws_ebs.go).
 */
export interface Vendor {
  /** The kinds of disk that the parameter `type` may name; the first is the default. */
  diskTypes: [string, ...string[]];
  /** The segments of a place, by this vendor's keys. */
  topology(place: { region: string; zone: string }): Record<string, string>;
  handleOf(disk: Pick<Disk, 'id' | 'name' | 'zone'>): string;
  /** Undefined when it is not a handle of this vendor's. */
  parseHandle(handle: string): DiskName | undefined;
  nodeIdOf(node: { name: string; zone: string }): string;
  instanceOf(nodeId: string): string;
  /** A disk's id when it must have a certain form, made from the name that CreateVolume is asked for: the same every time. */
  diskIdFor?(name: string): string;
}

const loopDisk: Vendor = {
  diskTypes: ['sparse'],
  topology: ({ region, zone }) => ({
    'topology.kubernetes.io/region': region,
    'topology.kubernetes.io/zone': zone,
  }),
  handleOf: ({ id }) => id,
  parseHandle: (handle) => (/^[a-z0-9][a-z0-9._-]*$/.test(handle) ? { id: handle } : undefined),
  nodeIdOf: ({ name }) => name,
  instanceOf: (nodeId) => nodeId,
};

/** `projects/PROJECT/zones/ZONE/disks/NAME`, where project and zone may be UNSPECIFIED; nodes are `…/instances/NAME`. */
const gcePersistentDisk: Vendor = {
  diskTypes: ['pd-standard', 'pd-balanced', 'pd-ssd', 'pd-extreme'],
  topology: ({ zone }) => ({ 'topology.gke.io/zone': zone }),
  handleOf: ({ name, zone }) => `projects/podwright/zones/${zone}/disks/${name}`,
  parseHandle(handle) {
    const [, zone, name] = /^projects\/[^/]+\/zones\/([^/]+)\/disks\/([^/]+)$/.exec(handle) ?? [];
    if (name === undefined || zone === undefined) return undefined;
    return zone === 'UNSPECIFIED' ? { name } : { name, zone };
  },
  nodeIdOf: ({ name, zone }) => `projects/podwright/zones/${zone}/instances/${name}`,
  instanceOf: (nodeId) => nodeId.replace(/^projects\/[^/]+\/zones\/[^/]+\/instances\//, ''),
};

/** `vol-…`, or `aws://ZONE/vol-…` as people wrote it in-tree. */
const awsElasticBlockStore: Vendor = {
  diskTypes: ['gp3', 'gp2', 'io1', 'io2', 'st1', 'sc1', 'standard'],
  topology: ({ zone }) => ({ 'topology.ebs.csi.aws.com/zone': zone }),
  handleOf: ({ id }) => id,
  parseHandle(handle) {
    const id = /^(?:aws:\/\/[^/]*\/)?(vol-[^/]+)$/.exec(handle)?.[1];
    return id === undefined ? undefined : { id };
  },
  nodeIdOf: ({ name }) => name,
  instanceOf: (nodeId) => nodeId,
  diskIdFor: (name) => `vol-${createHash('sha256').update(name).digest('hex').slice(0, 17)}`,
};

const vendors: Record<string, Vendor> = {
  'pd.csi.storage.gke.io': gcePersistentDisk,
  'ebs.csi.aws.com': awsElasticBlockStore,
};

/** The vendor of a driver's name; any other name speaks as loop-disk does. */
export const vendorOf = (driverName: string): Vendor => vendors[driverName] ?? loopDisk;
