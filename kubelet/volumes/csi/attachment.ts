import { volumeAttachments } from '../../../client/resources.ts';
import { messageOf } from '../../cri/cri-error.ts';
import type { CsiContext } from './context.ts';
import { attachmentNameOf } from '../../../api/storage/attachment.ts';

/**
 * What the attacher has left for the driver on this node (the publish context). Rejects with Error in upstream's words while the volume
 * isn't attached (csi_attacher.go WaitForAttach).
 */
export const publishContextOf = async (
  { client, nodeName }: Pick<CsiContext, 'client' | 'nodeName'>,
  { driver, handle }: { driver: string; handle: string },
): Promise<Record<string, string>> => {
  const name = attachmentNameOf({ driver, handle }, nodeName);
  const { metadata, status } = await client
    .resource(volumeAttachments)
    .get({ name })
    .catch((error: unknown) => {
      throw new Error(`volume ${handle} has GET error for volume attachment ${name}: ${messageOf(error)}`, {
        cause: error,
      });
    });
  if (metadata?.deletionTimestamp !== undefined) throw new Error('volume attachment is being deleted');
  if (status?.attached === true) return status.attachmentMetadata ?? {};
  const message = status?.attachError?.message;
  throw new Error(message ?? `volume ${handle} is not attached for volume attachment ${name}`);
};
