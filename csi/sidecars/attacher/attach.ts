import type { VolumeAttachment } from '../../../api/types.ts';
import { timeOf } from '../../../client/clock.ts';
import { isConflict } from '../../../client/errors.ts';
import { persistentVolumes, volumeAttachments } from '../../../client/resources.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { CsiError, errorInWords } from '../../error.ts';
import { repairVolumeHandle } from '../../translation/index.ts';
import { volumeCapability } from '../access-mode.ts';
import { addFinalizer, hasFinalizer } from '../finalizers.ts';
import { attachmentSource, nodeIdOf, publishSecrets } from './attachment-source.ts';
import { nodeIdAnnotation } from './settings.ts';
import type { Attacher } from './settings.ts';

/**
 * Attaches a volume to its node and says so in the attachment's status. The finalizers stand on attachment and volume before the driver
 * is asked: from then on neither can go without a detach. Rejects with the error that it has written into the status.
 */
export async function attach(attacher: Attacher, attachment: VolumeAttachment): Promise<void> {
  try {
    const publishContext = await publish(attacher, attachment);
    await failpoint('csi.attacher.after-publish');
    await markAttached(attacher, attachment, publishContext);
  } catch (error) {
    // A stale cache is everyday life, and nothing to tell.
    if (!attacher.signal.aborted && !isConflict(error)) await saveAttachError(attacher, attachment, error);
    throw error;
  }
}

/** Writes that the volume is attached; also for drivers that needn't attach. */
export async function markAttached(
  { context: { client } }: Attacher,
  { metadata }: VolumeAttachment,
  publishContext: Record<string, string>,
): Promise<void> {
  const attachmentMetadata = Object.keys(publishContext).length === 0 ? null : publishContext;
  await client.resource(volumeAttachments).patch({
    name: metadata?.name ?? '',
    type: 'merge',
    subresource: 'status',
    patch: {
      metadata: { uid: metadata?.uid },
      status: { attached: true, attachmentMetadata, attachError: null },
    },
  });
}

async function publish(attacher: Attacher, attachment: VolumeAttachment): Promise<Record<string, string>> {
  const { driver, context, signal } = attacher;
  const { client } = context;
  const { csi, spec, volume } = attachmentSource(attacher, attachment);
  if (volume?.metadata?.deletionTimestamp !== undefined)
    throw new Error(`PersistentVolume "${volume.metadata.name}" is marked for deletion`);
  const capabilities = (await driver.capabilities()).controller;
  const request = {
    volumeCapability: volumeCapability({
      accessModes: spec.accessModes ?? [],
      volumeMode: spec.volumeMode,
      fsType: (csi.fsType ?? '') === '' ? attacher.defaultFsType : (csi.fsType ?? ''),
      mountOptions: spec.mountOptions,
      singleNodeMultiWriter: capabilities.has('SINGLE_NODE_MULTI_WRITER'),
    }),
    // A driver without the capability must not be asked for it.
    readonly: (csi.readOnly ?? false) && capabilities.has('PUBLISH_READONLY'),
    volumeContext: csi.volumeAttributes ?? {},
    secrets: await publishSecrets(attacher, csi),
  };
  const nodeId = nodeIdOf(attacher, attachment.spec.nodeName);
  const volumeId = repairVolumeHandle(driver.name, csi.volumeHandle, nodeId);
  const { finalizer } = attacher;
  await Promise.all([
    volume === undefined
      ? undefined
      : addFinalizer({ client, resource: persistentVolumes, object: volume, finalizer }),
    keepUntilDetached(attacher, attachment, nodeId),
  ]);
  const answer = await driver.controller.controllerPublishVolume(
    { ...request, volumeId, nodeId },
    { signal },
  );
  return answer.publishContext;
}

/** Finalizer and node id in one write. */
async function keepUntilDetached(
  { context: { client }, finalizer }: Attacher,
  attachment: VolumeAttachment,
  nodeId: string,
): Promise<void> {
  const { name = '', uid, resourceVersion, annotations, finalizers = [] } = attachment.metadata ?? {};
  const hasNodeId = annotations?.[nodeIdAnnotation] === nodeId;
  if (hasNodeId && hasFinalizer(attachment, finalizer)) return;
  const patch = {
    metadata: {
      uid,
      resourceVersion,
      annotations: { [nodeIdAnnotation]: nodeId },
      finalizers: [...finalizers.filter((each) => each !== finalizer), finalizer],
    },
  };
  await client.resource(volumeAttachments).patch({ name, type: 'merge', patch });
}

async function saveAttachError(
  { context: { client, clock, log } }: Attacher,
  { metadata }: VolumeAttachment,
  error: unknown,
): Promise<void> {
  const attachError = {
    message: errorInWords(error),
    time: timeOf(clock.now()),
    ...(error instanceof CsiError ? { errorCode: error.code } : {}),
  };
  const patch = { metadata: { uid: metadata?.uid }, status: { attachError } };
  await client
    .resource(volumeAttachments)
    .patch({ name: metadata?.name ?? '', type: 'merge', subresource: 'status', patch })
    // The attachment may be gone; the error itself is what the caller is told.
    .catch((saveError: unknown) => log.debug({ err: saveError }, 'failed to save attach error'));
}
