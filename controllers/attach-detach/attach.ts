import type { VolumeAttachment } from '../../api/types.ts';
import { isAlreadyExists } from '../../client/errors.ts';
import { volumeAttachments } from '../../client/resources.ts';
import type { Attachment } from './actual-state.ts';
import type { Want } from './desired-state.ts';
import type { MultiAttachReports } from './multi-attach.ts';
import { objectOf, tellPods } from './world.ts';
import type { World } from './world.ts';

/**
 * One step towards a volume being attached to a node: asks the attacher by a VolumeAttachment, then hears of its answer by the
 * object's changes. Answers when to come again although nothing has changed; rejects when the API refuses.
 */
export async function attachWanted(
  world: World,
  want: Want,
  refusals: MultiAttachReports,
): Promise<number | undefined> {
  const { volume, node } = want;
  const known = world.actual.get(volume.uniqueName, node);
  if (known !== undefined) known.detachRequestedAtMs = undefined;
  const object = known === undefined ? undefined : objectOf(world, known);
  // Its end is waited for, then it is made anew.
  if (known?.isDetaching === true || object?.metadata?.deletionTimestamp !== undefined) return undefined;
  if (known !== undefined && object?.status?.attached === true) {
    refusals.forget(want);
    return confirm(world, want, known);
  }
  const holders = holdersOf(world, want);
  if (holders.length > 0) {
    // The usual short time of a detach in progress is not worth an event.
    if (holders.some(({ isDetaching }) => !isDetaching)) refusals.tell(world, want, holders);
    return undefined;
  }
  refusals.forget(want);
  const attachment = world.actual.add(volume, node);
  const present = object ?? objectOf(world, attachment);
  if (world.reports.shows(node, volume.uniqueName)) await world.reports.remove(node, volume.uniqueName);
  if (present === undefined && attachment.uid === undefined) await request(world, want, attachment);
  return awaitAttacher(world, { want, attachment, object: present });
}

/** Who else has, or may have, a volume that only one node may have. Also what only may be attached counts: data are at stake. */
const holdersOf = ({ actual }: World, { volume, node }: Want): Attachment[] =>
  volume.isShareable ? [] : actual.of(volume.uniqueName).filter((attachment) => attachment.node !== node);

async function confirm(world: World, want: Want, attachment: Attachment): Promise<undefined> {
  attachment.waitingSinceMs = undefined;
  attachment.toldError = undefined;
  await world.reports.add(attachment.node, attachment.uniqueName);
  if (attachment.isConfirmed) return;
  attachment.isConfirmed = true;
  // The space at the end is upstream's.
  const message = `AttachVolume.Attach succeeded for volume ${JSON.stringify(want.volume.name)} `;
  tellPods(world, want, { type: 'Normal', reason: 'SuccessfulAttachVolume', message });
}

/** Makes the VolumeAttachment. The attachment is noted before, so that one made unnoticed is found and deleted. */
async function request(world: World, want: Want, attachment: Attachment): Promise<void> {
  const { objectName: name, node: nodeName, driver: attacher } = attachment;
  const object: VolumeAttachment = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name },
    spec: { attacher, nodeName, source: want.volume.source },
  };
  const resource = world.client.resource(volumeAttachments);
  try {
    const made = await resource.create({ object });
    attachment.uid = made.metadata?.uid;
  } catch (error) {
    if (isAlreadyExists(error)) {
      attachment.uid = (await resource.get({ name })).metadata?.uid;
      return;
    }
    fail(
      world,
      want,
      `kubernetes.io/csi: attacher.Attach failed: ${error instanceof Error ? error.message : String(error)}`,
    );
    throw error;
  }
}

/** Tells what the attacher complains of, and when it says nothing for too long. */
function awaitAttacher(
  world: World,
  { want, attachment, object }: { want: Want; attachment: Attachment; object: VolumeAttachment | undefined },
): number {
  const { clock, times } = world;
  const { driver, handle } = attachment;
  attachment.isConfirmed = false;
  attachment.waitingSinceMs ??= clock.now();
  const error = object?.status?.attachError;
  const complaint = error === undefined ? undefined : `${error.time ?? ''} ${error.message ?? ''}`;
  if (complaint !== undefined && complaint !== attachment.toldError) {
    attachment.toldError = complaint;
    attachment.waitingSinceMs = clock.now();
    fail(world, want, error?.message ?? '');
  }
  const leftMs = attachment.waitingSinceMs + times.attachTimeoutMs - clock.now();
  if (leftMs > 0) return leftMs;
  attachment.waitingSinceMs = clock.now();
  // Perhaps the object has come and gone unseen; to ask for it again does no harm.
  if (object === undefined) attachment.uid = undefined;
  fail(
    world,
    want,
    `timed out waiting for external-attacher of ${driver} CSI driver to attach volume ${handle}`,
  );
  return object === undefined ? 0 : times.attachTimeoutMs;
}

function fail(world: World, want: Want, why: string): void {
  const message = `AttachVolume.Attach failed for volume ${JSON.stringify(want.volume.name)} : ${why}`;
  tellPods(world, want, { type: 'Warning', reason: 'FailedAttachVolume', message });
}
