import { CsiError } from '../../../error.ts';
import type { CloudLog } from '../cloud/cloud.ts';
import type { Vendor } from '../vendor.ts';

/** What the node service's RPCs work with. It keeps nothing: what is staged and published, the kernel knows (mountinfo). */
export interface NodeContext {
  vendor: Vendor;
  nodeName: string;
  region: string;
  zone: string;
  maxVolumes: number;
  log: CloudLog;
  /** Volumes that are being worked on. */
  busy: Set<string>;
}

/**
 * Runs one operation on a volume at a time; a second one meanwhile is answered ABORTED (CSI spec, "Error Scheme":
 * operation pending for volume).
 */
export async function alone<Result>(
  { busy }: NodeContext,
  volumeId: string,
  operation: () => Promise<Result>,
): Promise<Result> {
  if (busy.has(volumeId))
    throw new CsiError('ABORTED', `an operation on volume '${volumeId}' is under way on this node`);
  busy.add(volumeId);
  try {
    return await operation();
  } finally {
    busy.delete(volumeId);
  }
}
