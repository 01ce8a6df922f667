import type { VolumeAttachment } from '../../../api/types.ts';
import { timeOf } from '../../../client/clock.ts';
import { isNotFound } from '../../../client/errors.ts';
import { volumeAttachments } from '../../../client/resources.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { errorInWords } from '../../error.ts';
import { repairVolumeHandle } from '../../translation/index.ts';
import { removeFinalizer } from '../finalizers.ts';
import { attachmentSource, nodeIdOf, publishSecrets } from './attachment-source.ts';
import type { Attacher } from './settings.ts';

/**
 * Detaches a volume whose attachment is being deleted, and lets the attachment go. Also when the attachment never said `attached`: the
 * driver may have got half way. Rejects with the error that it has written into the status.
 */
export async function detach(attacher: Attacher, attachment: VolumeAttachment): Promise<void> {
  const { driver, signal } = attacher;
  try {
    const { csi } = attachmentSource(attacher, attachment);
    const secrets = await publishSecrets(attacher, csi);
    const nodeId = nodeIdOf(attacher, attachment.spec.nodeName, attachment);
    const volumeId = repairVolumeHandle(driver.name, csi.volumeHandle, nodeId);
    await driver.controller.controllerUnpublishVolume({ volumeId, nodeId, secrets }, { signal });
    await failpoint('csi.attacher.after-unpublish');
    await markDetached(attacher, attachment);
  } catch (error) {
    if (!signal.aborted) await saveDetachError(attacher, attachment, error);
    throw error;
  }
}

/**
 * The finalizer first: without it the attachment counts as detached whatever its status says. The other way around, an attachment with
 * finalizer and `attached: false` would be one whose attach may have got half way, and be detached once more.
 */
async function markDetached(
  { context: { client }, finalizer }: Attacher,
  attachment: VolumeAttachment,
): Promise<void> {
  const resource = client.resource(volumeAttachments);
  const name = attachment.metadata?.name ?? '';
  const object = await resource.get({ name }).catch(ignoreNotFound);
  if (object === undefined || object.metadata?.uid !== attachment.metadata?.uid) return;
  const left = await removeFinalizer({ client, resource: volumeAttachments, object, finalizer });
  if ((left?.metadata?.finalizers ?? []).length === 0) return; // deleted with its last finalizer
  const patch = {
    metadata: { uid: attachment.metadata?.uid },
    status: { attached: false, detachError: null, attachmentMetadata: null },
  };
  await resource.patch({ name, type: 'merge', subresource: 'status', patch }).catch(ignoreNotFound);
}

const ignoreNotFound = (error: unknown): undefined => {
  if (!isNotFound(error)) throw error;
};

async function saveDetachError(
  { context: { client, clock, log } }: Attacher,
  { metadata }: VolumeAttachment,
  error: unknown,
): Promise<void> {
  const detachError = { message: errorInWords(error), time: timeOf(clock.now()) };
  const patch = { metadata: { uid: metadata?.uid }, status: { detachError } };
  await client
    .resource(volumeAttachments)
    .patch({ name: metadata?.name ?? '', type: 'merge', subresource: 'status', patch })
    // The attachment may be gone; the error itself is what the caller is told.
    .catch((saveError: unknown) => log.debug({ err: saveError }, 'failed to save detach error'));
}
