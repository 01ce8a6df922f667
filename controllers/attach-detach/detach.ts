import type { Node } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { nodes, volumeAttachments } from '../../client/resources.ts';
import { isOutOfService } from '../node-lifecycle/taints.ts';
import type { Attachment } from './actual-state.ts';
import { isHealthy, isInUse, objectOf } from './world.ts';
import type { World } from './world.ts';

/**
 * One step towards a volume being away from a node where nobody needs it: waits until the kubelet has unmounted it, takes it from the
 * node's status, looks once more, and deletes the VolumeAttachment. Answers when to come again although nothing has changed;
 * rejects when the API refuses or the volume came into use meanwhile.
 */
export async function detachUnwanted(world: World, attachment: Attachment): Promise<number | undefined> {
  const { clock, log, times, reports } = world;
  const object = objectOf(world, attachment);
  if (attachment.isDetaching) return complain(world, attachment);
  attachment.detachRequestedAtMs ??= clock.now();
  const leftMs = attachment.detachRequestedAtMs + times.maxWaitForUnmountMs - clock.now();
  const node = world.nodes.getByKey(attachment.node);
  const isOver = leftMs <= 0 && !times.disableForceDetachOnTimeout;
  const forced = isOutOfService(node) || (isOver && !isHealthy(node));
  if (isInUse(attachment, node) && !forced) {
    return leftMs > 0 ? leftMs : undefined;
  }
  await reports.remove(attachment.node, attachment.uniqueName);
  if (forced) {
    const { uniqueName: volume, node: nodeName } = attachment;
    const why = isOutOfService(node) ? 'node has out-of-service taint' : 'maxWaitForUnmountDuration expired';
    log.warn({ volume, node: nodeName }, `detaching by force: ${why}`);
  } else {
    await verifySafe(world, attachment);
  }
  attachment.isConfirmed = false;
  await remove(world, attachment, object?.metadata?.deletionTimestamp !== undefined);
  return undefined;
}

/** The node itself is asked, not the cache: the kubelet may just have said that it is about to mount the volume. */
async function verifySafe({ client }: World, { node: name, uniqueName }: Attachment): Promise<void> {
  let node: Node;
  try {
    node = await client.resource(nodes).get({ name });
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  if (!(node.status?.volumesInUse ?? []).includes(uniqueName)) return;
  throw new Error(
    `DetachVolume failed for volume ${uniqueName} from node ${name}: volume is still in use by node, according to Node status`,
  );
}

/** Deletes the VolumeAttachment; when the attacher has a finalizer on it, its end is heard of later. */
async function remove({ client, actual }: World, attachment: Attachment, isDeleted: boolean): Promise<void> {
  attachment.isDetaching = true;
  if (isDeleted) return;
  try {
    const object = await client.resource(volumeAttachments).delete({ name: attachment.objectName });
    if ((object.metadata?.finalizers ?? []).length > 0) return;
  } catch (error) {
    if (!isNotFound(error)) {
      attachment.isDetaching = false;
      throw error;
    }
  }
  actual.remove(attachment);
}

/** The attacher tries again by itself. */
function complain(world: World, attachment: Attachment): undefined {
  const error = objectOf(world, attachment)?.status?.detachError;
  const complaint = error === undefined ? undefined : `${error.time ?? ''} ${error.message ?? ''}`;
  if (complaint === undefined || complaint === attachment.toldError) return;
  attachment.toldError = complaint;
  const { uniqueName: volume, node } = attachment;
  world.log.warn({ volume, node, error: error?.message }, 'DetachVolume.Detach failed');
}
