import { smallestXfsBytes } from '../../../../linux/make-filesystem.ts';
import { CsiError } from '../../../error.ts';
import type { CapacityRange, VolumeCapability } from '../../../types.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

/** What a disk has when nobody says. */
const defaultBytes = GiB;
const smallestBytes = MiB;
/** Half of the largest file of an ext4 pool. */
export const largestBytes = 8 * 1024 * GiB;

/**
 * The size for a range: what is required, in whole MiB, and never less than `atLeast`. Throws OUT_OF_RANGE when that is
 * above the limit, or too much for any disk, INVALID_ARGUMENT when the range contradicts itself.
 */
export function sizeFor(range: CapacityRange | null, { atLeast = smallestBytes } = {}): number {
  const { requiredBytes = 0, limitBytes = 0 } = range ?? {};
  if (requiredBytes < 0 || limitBytes < 0)
    throw new CsiError('INVALID_ARGUMENT', `capacity range ${requiredBytes} to ${limitBytes} is negative`);
  if (limitBytes > 0 && requiredBytes > limitBytes)
    throw new CsiError(
      'INVALID_ARGUMENT',
      `required ${requiredBytes} bytes are more than the limit of ${limitBytes}`,
    );
  const wanted =
    requiredBytes > 0 ? requiredBytes : Math.min(defaultBytes, limitBytes > 0 ? floor(limitBytes) : Infinity);
  const size = Math.max(ceil(wanted), atLeast);
  if (limitBytes > 0 && size > limitBytes)
    throw new CsiError(
      'OUT_OF_RANGE',
      `the smallest disk for this has ${size} bytes, more than the limit of ${limitBytes}`,
    );
  if (size > largestBytes)
    throw new CsiError('OUT_OF_RANGE', `${size} bytes are more than the ${largestBytes} of the largest disk`);
  return size;
}

const ceil = (bytes: number): number => Math.ceil(bytes / MiB) * MiB;
const floor = (bytes: number): number => Math.floor(bytes / MiB) * MiB;

/** The least that a volume's file system needs. */
export const leastFor = (capabilities: VolumeCapability[]): number =>
  capabilities.some(({ mount }) => mount?.fsType === 'xfs') ? smallestXfsBytes : smallestBytes;
