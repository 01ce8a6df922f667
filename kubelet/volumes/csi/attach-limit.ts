import { volumeAttachments } from '../../../client/resources.ts';
import type { VolumeSpec } from '../volume-spec.ts';
import type { CsiContext } from './context.ts';
import { csiSourceOf } from './csi-source.ts';
import { attachmentNameOf } from '../../../api/storage/attachment.ts';

/** gRPC's RESOURCE_EXHAUSTED, as a VolumeAttachment's status has it. */
const resourceExhausted = 8;

/**
 * The attacher was told that the node has as many volumes as it can have. Then the CSINode is brought up to date, so that the scheduler
 * knows too. Only for drivers whose limit may change (KEP-4876; upstream: csi_plugin.go VerifyExhaustedResource).
 */
export const isRefusedForLimit = async (context: CsiContext, spec: VolumeSpec): Promise<boolean> => {
  if (spec.persistentVolume === undefined) return false;
  const { client, nodeName, driverObjects } = context;
  const { driver, volumeHandle } = csiSourceOf(spec);
  if (!driverObjects.known(driver)?.spec.nodeAllocatableUpdatePeriodSeconds) return false;
  try {
    const name = attachmentNameOf({ driver, handle: volumeHandle }, nodeName);
    const { status } = await client.resource(volumeAttachments).get({ name });
    if (status?.attachError?.errorCode !== resourceExhausted) return false;
  } catch {
    // Without an attachment there is nothing that was refused.
    return false;
  }
  await context.refreshLimit(driver);
  return true;
};
