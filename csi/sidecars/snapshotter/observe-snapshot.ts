import { quote } from '../../../api/go-format.ts';
import { errorInWords } from '../../error.ts';
import { annotationOf, annotations, nameOf } from '../../snapshots/names.ts';
import { credentialsOf, listSecret, secretRefOf } from '../../snapshots/secrets.ts';
import { snapshotClass } from '../../snapshots/snapshot-class.ts';
import { wordsOf } from '../../snapshots/snapshotting.ts';
import type { VolumeSnapshotContent } from '../../snapshots/types.ts';
import type { Snapshot } from '../../types.ts';
import { updateContentStatus } from './content-status.ts';
import { createSnapshot } from './create-snapshot.ts';
import { annotatedCredentials } from './credentials.ts';
import type { Snapshotter } from './snapshotter.ts';

/**
 * Looks at a snapshot that isn't ready. One that existed before, or that came with a group, is asked for by its handle; one that
 * we take is asked for by taking it again.
 */
export const observeSnapshot = async (
  world: Snapshotter,
  content: VolumeSnapshotContent,
): Promise<VolumeSnapshotContent> => {
  const { snapshotHandle: given } = content.spec.source;
  const { snapshotHandle: taken, volumeGroupSnapshotHandle } = content.status ?? {};
  const handle = given ?? (volumeGroupSnapshotHandle === undefined ? undefined : taken);
  if (handle === undefined) return isOfGroup(content) ? content : createSnapshot(world, content);
  const secrets = await listCredentials(world, content);
  const snapshot = await stateOf(world, handle, secrets).catch((error: unknown) => {
    throw new Error(`failed to list snapshot for content ${nameOf(content)}: ${quote(errorInWords(error))}`, {
      cause: error,
    });
  });
  return updateContentStatus(world, content, snapshot);
};

/** The driver took it in one call with the others of its group. */
export const isOfGroup = (content: VolumeSnapshotContent): boolean =>
  annotationOf(content, annotations.groupHandle) !== undefined;

/** Asks the driver in the way it can; one that can't tell is believed to have the snapshot. */
const stateOf = async (
  { driver, timeoutMs }: Snapshotter,
  snapshotId: string,
  secrets: Record<string, string>,
): Promise<Snapshot> => {
  const { controller: can } = await driver.capabilities().catch((error: unknown) => {
    throw new Error(`failed to check if ListSnapshots is supported: ${errorInWords(error)}`, {
      cause: error,
    });
  });
  const request = { snapshotId, secrets };
  const listed = async () =>
    (await driver.controller.listSnapshots(request, { timeoutMs })).entries[0]?.snapshot;
  const got = async () => (await driver.controller.getSnapshot(request, { timeoutMs })).snapshot;
  if (!can.has('LIST_SNAPSHOTS') && !can.has('GET_SNAPSHOT')) return unseen(snapshotId);
  const snapshot = await (can.has('LIST_SNAPSHOTS') ? listed() : got());
  if (snapshot === undefined || snapshot === null)
    throw new Error(`can not find snapshot for snapshotID ${snapshotId}`);
  return { ...snapshot, snapshotId };
};

const unseen = (snapshotId: string): Snapshot => ({
  snapshotId,
  sourceVolumeId: '',
  sizeBytes: 0,
  creationTime: null,
  readyToUse: true,
  groupSnapshotId: '',
});

const listCredentials = async (
  world: Snapshotter,
  content: VolumeSnapshotContent,
): Promise<Record<string, string>> => {
  // A group's members name no class.
  if (content.status?.volumeGroupSnapshotHandle !== undefined)
    return annotatedCredentials(world, content, {
      what: 'snapshot content',
      name: annotations.deletionSecretName,
      namespace: annotations.deletionSecretNamespace,
    });
  const { volumeSnapshotClassName: className } = content.spec;
  if (className === undefined) return {};
  const explained = async <T>(what: string, find: () => T | Promise<T>): Promise<T> => {
    try {
      return await find();
    } catch (error) {
      const why = `failed to get ${what} for snapshot content ${nameOf(content)}: ${wordsOf(error)}`;
      throw new Error(why, { cause: error });
    }
  };
  const { parameters } = await explained(`snapshot class ${className}`, () =>
    snapshotClass(world, className),
  );
  const ref = await explained('secret reference', () =>
    secretRefOf({
      secret: listSecret,
      parameters,
      namespaceTokens: { 'volumesnapshotcontent.name': nameOf(content) },
      nameTokens: {},
    }),
  );
  return explained('credentials', () => credentialsOf(world.client, ref));
};
