import type { PersistentVolume, Volume } from '../../api/types.ts';

/** What is known of one in-tree volume plugin and of the CSI driver that has taken its place. */
export interface InTreePlugin {
  /** Also the provisioner of its storage classes, such as `kubernetes.io/gce-pd`. */
  readonly name: string;
  readonly driver: string;
  /** The label that the cloud's own CSI driver puts the zone under. */
  readonly vendorZoneKey: string;
  supportsPv(pv: PersistentVolume): boolean;
  supportsVolume(volume: Volume): boolean;
  /** Changes the PV, a copy of the caller's, except for its topology. */
  toCsi(pv: PersistentVolume): void;
  toInTree(pv: PersistentVolume): void;
  fromVolume(volume: Volume): PersistentVolume;
  /** The parameters of a storage class that aren't the same for the CSI driver. */
  translateParameter?(key: string, value: string): Record<string, string>;
  /** The region that the zones' names tell, by the cloud's way to name zones. */
  regionOf(zones: readonly string[]): string | undefined;
  /** A complete volume handle, of one that leaves out what the node's id tells. */
  repairHandle?(handle: string, nodeId: string): string;
}

/** A partition as text; `whenWhole` for the whole disk. */
export const partitionAttribute = (partition: number | undefined, whenWhole: '' | '0'): string =>
  partition === undefined || partition === 0 ? whenWhole : String(partition);

/** The number in the attribute; undefined for the whole disk; throws Error for what is no number. */
export const partitionOf = (attributes: Readonly<Record<string, string>> = {}): number | undefined => {
  const { partition = '' } = attributes;
  if (partition === '' || partition === '0') return undefined;
  if (!/^\d+$/.test(partition)) throw new Error(`failed to convert partition ${partition} to integer`);
  return Number(partition);
};
