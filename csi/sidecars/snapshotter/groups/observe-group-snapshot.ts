import { quote } from '../../../../api/go-format.ts';
import { errorInWords } from '../../../error.ts';
import { groupSnapshotClass } from '../../../snapshots/groups/group-class.ts';
import { nameOf } from '../../../snapshots/names.ts';
import { credentialsOf, groupGetSecret, secretRefOf } from '../../../snapshots/secrets.ts';
import { wordsOf } from '../../../snapshots/snapshotting.ts';
import type { VolumeGroupSnapshotContent } from '../../../snapshots/types.ts';
import type { Snapshotter } from '../snapshotter.ts';
import { createGroupSnapshot } from './create-group-snapshot.ts';
import { updateGroupContentStatus } from './group-content-status.ts';

/** Looks at a group snapshot that isn't ready: by its handles when it existed before, else by taking it again. */
export const observeGroupSnapshot = async (
  world: Snapshotter,
  content: VolumeGroupSnapshotContent,
): Promise<VolumeGroupSnapshotContent> => {
  const { groupSnapshotHandles } = content.spec.source;
  if (groupSnapshotHandles === undefined) return createGroupSnapshot(world, content);
  const { volumeGroupSnapshotHandle: groupSnapshotId, volumeSnapshotHandles: snapshotIds } =
    groupSnapshotHandles;
  if (snapshotIds.length === 0)
    throw new Error(
      `cannot list group snapshot ${nameOf(content)}. No snapshots found in the group snapshot content`,
    );
  const secrets = await getCredentials(world, content);
  const { driver, timeoutMs } = world;
  const request = { groupSnapshotId, snapshotIds, secrets };
  const explain = (error: unknown) =>
    new Error(
      `failed to list group snapshot for group snapshot content ${nameOf(content)}: ${quote(errorInWords(error))}`,
      { cause: error },
    );
  const { groupSnapshot } = await driver.groupController
    .getVolumeGroupSnapshot(request, { timeoutMs })
    .catch((error: unknown) => {
      throw explain(error);
    });
  if (groupSnapshot === null) throw explain(new Error(`can not find group snapshot ${groupSnapshotId}`));
  // Its snapshots are known from the content; their objects are made by whoever made the content.
  return updateGroupContentStatus(world, content, { ...groupSnapshot, groupSnapshotId, snapshots: [] });
};

const getCredentials = async (
  world: Snapshotter,
  content: VolumeGroupSnapshotContent,
): Promise<Record<string, string>> => {
  const { volumeGroupSnapshotClassName } = content.spec;
  if (volumeGroupSnapshotClassName === undefined) return {};
  try {
    const { parameters } = await groupSnapshotClass(world, volumeGroupSnapshotClassName);
    const ref = secretRefOf({
      secret: groupGetSecret,
      parameters,
      namespaceTokens: { 'volumegroupsnapshotcontent.name': nameOf(content) },
      nameTokens: {},
    });
    return await credentialsOf(world.client, ref);
  } catch (error) {
    throw new Error(
      `failed to get credentials for group snapshot content ${nameOf(content)}: ${wordsOf(error)}`,
      { cause: error },
    );
  }
};
