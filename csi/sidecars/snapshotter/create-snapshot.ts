import { quote } from '../../../api/go-format.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { CsiError, errorInWords, isFinalError } from '../../error.ts';
import { annotations, nameOf } from '../../snapshots/names.ts';
import { volumeSnapshotContents } from '../../snapshots/resources.ts';
import { snapshotClass } from '../../snapshots/snapshot-class.ts';
import { wordsOf } from '../../snapshots/snapshotting.ts';
import type { VolumeSnapshotContent } from '../../snapshots/types.ts';
import type { Snapshot } from '../../types.ts';
import { markBeingCreated, unmarkBeingCreated } from './being-created.ts';
import { updateContentStatus } from './content-status.ts';
import { annotatedCredentials } from './credentials.ts';
import { driverParameters } from './parameters.ts';
import type { Snapshotter } from './snapshotter.ts';

/**
 * Has the driver take the snapshot that the content asks for, or asks again whether it is ready: the call is idempotent by name.
 * Resolves with the content as it is then. Rejects in upstream's words.
 */
export const createSnapshot = async (
  world: Snapshotter,
  content: VolumeSnapshotContent,
): Promise<VolumeSnapshotContent> => {
  const input = await inputOf(world, content);
  const isTaken = content.status?.snapshotHandle !== undefined;
  const mark = { annotation: annotations.beingCreated };
  // A snapshot that has its handle is known; nothing can be lost any more.
  const marked = isTaken
    ? content
    : await markBeingCreated(world, volumeSnapshotContents, { object: content, ...mark });
  let snapshot: Snapshot;
  try {
    snapshot = await callDriver(world, marked, input);
  } catch (error) {
    if (isFinalError(error))
      await unmarkBeingCreated(world, volumeSnapshotContents, { object: marked, ...mark });
    const { volumeHandle = '' } = content.spec.source;
    throw new Error(`failed to take snapshot of the volume ${volumeHandle}: ${quote(errorInWords(error))}`, {
      cause: error,
    });
  }
  const updated = await updateContentStatus(world, marked, snapshot).catch((error: unknown) => {
    throw new Error(
      `error updating status for volume snapshot content ${nameOf(content)}: ${wordsOf(error)}`,
      { cause: error },
    );
  });
  await failpoint('csi.snapshotter.after-status');
  return unmarkBeingCreated(world, volumeSnapshotContents, { object: updated, ...mark });
};

interface Input {
  parameters: Record<string, string>;
  secrets: Record<string, string>;
}

const inputOf = async (world: Snapshotter, content: VolumeSnapshotContent): Promise<Input> => {
  const name = nameOf(content);
  try {
    const { volumeSnapshotClassName } = content.spec;
    if (volumeSnapshotClassName === undefined)
      throw new Error(`failed to take snapshot ${name} without a snapshot class`);
    const { parameters } = await snapshotClass(world, volumeSnapshotClassName);
    const secrets = await annotatedCredentials(world, content, {
      what: 'snapshot content',
      name: annotations.deletionSecretName,
      namespace: annotations.deletionSecretNamespace,
    });
    return { parameters: { ...driverParameters(parameters), ...metadataOf(world, content) }, secrets };
  } catch (error) {
    throw new Error(
      `failed to get input parameters to create snapshot for content ${name}: ${quote(wordsOf(error))}`,
      { cause: error },
    );
  }
};

const metadataOf = (
  { extraCreateMetadata }: Snapshotter,
  { metadata, spec: { volumeSnapshotRef } }: VolumeSnapshotContent,
): Record<string, string> =>
  extraCreateMetadata
    ? {
        'csi.storage.k8s.io/volumesnapshot/name': volumeSnapshotRef.name ?? '',
        'csi.storage.k8s.io/volumesnapshot/namespace': volumeSnapshotRef.namespace ?? '',
        'csi.storage.k8s.io/volumesnapshotcontent/name': metadata?.name ?? '',
      }
    : {};

const callDriver = async (
  { driver, timeoutMs }: Snapshotter,
  content: VolumeSnapshotContent,
  input: Input,
): Promise<Snapshot> => {
  const { source, volumeSnapshotRef } = content.spec;
  const { uid = '' } = volumeSnapshotRef;
  if (uid === '')
    throw new Error(`cannot create snapshot. Snapshot content ${nameOf(content)} not bound to a snapshot`);
  await failpoint('csi.snapshotter.before-create');
  const request = { ...input, name: `snapshot-${uid}`, sourceVolumeId: source.volumeHandle };
  const { snapshot } = await driver.controller.createSnapshot(request, { timeoutMs });
  await failpoint('csi.snapshotter.after-create');
  if (snapshot === null) throw new CsiError('UNKNOWN', 'the driver answered without a snapshot');
  return snapshot;
};
