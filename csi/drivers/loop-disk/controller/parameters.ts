import { CsiError } from '../../../error.ts';
import { cacheModes } from '../cloud/types.ts';
import type { CacheMode } from '../cloud/types.ts';
import type { Vendor } from '../vendor.ts';

export interface DiskParameters {
  type?: string;
  cache?: CacheMode;
}

/** Keys that the provisioner and snapshotter add; they are for nobody's disks. */
const sidecarPrefix = 'csi.storage.k8s.io/';

/**
 * Reads a StorageClass's parameters: `type`, one of the vendor's kinds of disk, and `cache` (`none`, `writeback`).
 * Throws INVALID_ARGUMENT for any other, because a misspelled parameter would go unseen.
 */
export function parseParameters(vendor: Vendor, parameters: Record<string, string>): DiskParameters {
  return readParameters(parameters, { type: vendor.diskTypes, cache: cacheModes }) as DiskParameters;
}

/** Reads a VolumeAttributesClass's parameters: what can be changed while a disk is in use. Throws INVALID_ARGUMENT. */
export function parseMutableParameters(vendor: Vendor, parameters: Record<string, string>): DiskParameters {
  const types = vendor.diskTypes.length > 1 ? { type: vendor.diskTypes } : {};
  return readParameters(parameters, { ...types, cache: cacheModes }) as DiskParameters;
}

/** Throws INVALID_ARGUMENT when there are parameters at all: snapshots take none. */
export const refuseParameters = (parameters: Record<string, string>): void =>
  void readParameters(parameters, {});

function readParameters(
  parameters: Record<string, string>,
  known: Record<string, readonly string[]>,
): Record<string, string> {
  const own = Object.entries(parameters).filter(([key]) => !key.startsWith(sidecarPrefix));
  for (const [key, value] of own) {
    const values = Object.hasOwn(known, key) ? known[key] : undefined;
    const names = Object.keys(known);
    if (values === undefined)
      throw new CsiError(
        'INVALID_ARGUMENT',
        `unknown parameter '${key}'${names.length === 0 ? '; there are none' : `; there are: ${names.join(', ')}`}`,
      );
    if (!values.includes(value))
      throw new CsiError(
        'INVALID_ARGUMENT',
        `parameter ${key} '${value}' is not one of ${values.join(', ')}`,
      );
  }
  return Object.fromEntries(own);
}
