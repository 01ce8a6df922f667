import { quote } from '../../../../api/go-format.ts';
import { failpoint } from '../../../../linux/failpoint.ts';
import { CsiError, errorInWords, isFinalError } from '../../../error.ts';
import { groupSnapshotClass } from '../../../snapshots/groups/group-class.ts';
import { annotations, nameOf } from '../../../snapshots/names.ts';
import { volumeGroupSnapshotContents } from '../../../snapshots/resources.ts';
import { wordsOf } from '../../../snapshots/snapshotting.ts';
import type { VolumeGroupSnapshotContent } from '../../../snapshots/types.ts';
import type { VolumeGroupSnapshot } from '../../../types.ts';
import { markBeingCreated, unmarkBeingCreated } from '../being-created.ts';
import { driverParameters } from '../parameters.ts';
import type { Snapshotter } from '../snapshotter.ts';
import { groupCredentials } from './group-credentials.ts';
import { updateGroupContentStatus } from './group-content-status.ts';

/**
 * Has the driver take the snapshots of all the content's volumes at once, or asks again whether they are ready: the call is
 * idempotent by name. Resolves with the content as it is then. Rejects in upstream's words.
 */
export const createGroupSnapshot = async (
  world: Snapshotter,
  content: VolumeGroupSnapshotContent,
): Promise<VolumeGroupSnapshotContent> => {
  const input = await inputOf(world, content);
  const mark = { annotation: annotations.groupBeingCreated };
  const isTaken = content.status?.volumeGroupSnapshotHandle !== undefined;
  const marked = isTaken
    ? content
    : await markBeingCreated(world, volumeGroupSnapshotContents, { object: content, ...mark });
  let group: VolumeGroupSnapshot;
  try {
    group = await callDriver(world, marked, input);
  } catch (error) {
    if (isFinalError(error))
      await unmarkBeingCreated(world, volumeGroupSnapshotContents, { object: marked, ...mark });
    const volumes = (content.spec.source.volumeHandles ?? []).join(' ');
    throw new Error(
      `failed to take group snapshot of the volumes [${volumes}]: ${quote(errorInWords(error))}`,
      { cause: error },
    );
  }
  const updated = await updateGroupContentStatus(world, marked, group).catch((error: unknown) => {
    throw new Error(
      `error updating status for volume group snapshot content ${nameOf(content)}: ${wordsOf(error)}`,
      { cause: error },
    );
  });
  return unmarkBeingCreated(world, volumeGroupSnapshotContents, { object: updated, ...mark });
};

interface Input {
  parameters: Record<string, string>;
  secrets: Record<string, string>;
}

const inputOf = async (world: Snapshotter, content: VolumeGroupSnapshotContent): Promise<Input> => {
  const name = nameOf(content);
  try {
    const { volumeGroupSnapshotClassName } = content.spec;
    if (volumeGroupSnapshotClassName === undefined)
      throw new Error(`failed to take group snapshot ${name} without a group snapshot class`);
    const { parameters } = await groupSnapshotClass(world, volumeGroupSnapshotClassName);
    return {
      parameters: { ...driverParameters(parameters), ...metadataOf(world, content) },
      secrets: await groupCredentials(world, content),
    };
  } catch (error) {
    throw new Error(
      `failed to get input parameters to create group snapshot for group snapshot content ${name}: ${quote(wordsOf(error))}`,
      { cause: error },
    );
  }
};

const metadataOf = (
  { extraCreateMetadata }: Snapshotter,
  { metadata, spec: { volumeGroupSnapshotRef } }: VolumeGroupSnapshotContent,
): Record<string, string> =>
  extraCreateMetadata
    ? {
        'csi.storage.k8s.io/volumegroupsnapshot/name': volumeGroupSnapshotRef.name ?? '',
        'csi.storage.k8s.io/volumegroupsnapshot/namespace': volumeGroupSnapshotRef.namespace ?? '',
        'csi.storage.k8s.io/volumegroupsnapshotcontent/name': metadata?.name ?? '',
      }
    : {};

const callDriver = async (
  { driver, timeoutMs }: Snapshotter,
  content: VolumeGroupSnapshotContent,
  input: Input,
): Promise<VolumeGroupSnapshot> => {
  const { uid = '' } = content.spec.volumeGroupSnapshotRef;
  if (uid === '')
    throw new Error(
      `cannot create group snapshot. Group snapshot content ${nameOf(content)} not bound to a group snapshot`,
    );
  await failpoint('csi.snapshotter.before-create-group');
  const request = {
    ...input,
    name: `groupsnapshot-${uid}`,
    sourceVolumeIds: content.spec.source.volumeHandles,
  };
  const { groupSnapshot } = await driver.groupController.createVolumeGroupSnapshot(request, { timeoutMs });
  await failpoint('csi.snapshotter.after-create-group');
  if (groupSnapshot === null) throw new CsiError('UNKNOWN', 'the driver answered without a group snapshot');
  return groupSnapshot;
};
