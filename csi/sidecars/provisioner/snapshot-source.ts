import { quantityValue } from '../../../api/quantity.ts';
import { requestedSize } from '../../../api/storage/match-volume.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../../api/types.ts';
import type { Client } from '../../../client/rest.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../snapshots/resources.ts';
import { wordsOf } from '../../snapshots/snapshotting.ts';
import type { VolumeSnapshot, VolumeSnapshotContent } from '../../snapshots/types.ts';
import type { VolumeContentSource } from '../../types.ts';
import { addFinalizer, hasFinalizer } from '../finalizers.ts';
import type { DataSource } from './data-source.ts';

/** On a VolumeSnapshot that a volume is being made from. */
export const snapshotInUse = 'provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection';
const allowModeChange = 'snapshot.storage.kubernetes.io/allow-volume-mode-change';

interface SourceOptions {
  claim: PersistentVolumeClaim;
  storageClass: StorageClass;
  source: DataSource;
  client: Client;
}

/**
 * The snapshot that a claim is to be restored from, as the driver names it: it must be ready, of the class's driver, no larger
 * than the claim, and of the claim's volumeMode unless its content says otherwise. Keeps it from deletion. Rejects with Errors in
 * upstream's words.
 */
export async function snapshotSource(options: SourceOptions): Promise<VolumeContentSource> {
  const { client, source } = options;
  const { name } = source;
  const snapshot = await client
    .resource(volumeSnapshots)
    .get(source)
    .catch((error: unknown) => {
      throw new Error(`error getting snapshot ${name} from api server: ${wordsOf(error)}`, {
        cause: error,
      });
    });
  if (snapshot.metadata?.deletionTimestamp !== undefined && !hasFinalizer(snapshot, snapshotInUse))
    throw new Error(`snapshot ${name} is being deleted`);
  const content = await contentOf(snapshot, options);
  if (snapshot.status?.readyToUse !== true) throw new Error(`snapshot ${name} is not Ready`);
  const snapshotId = content.status?.snapshotHandle;
  if (snapshotId === undefined) throw new Error(`snapshot handle ${name} is not available`);
  checkSize(snapshot, options.claim);
  checkMode(content, options.claim);
  await addFinalizer({ client, resource: volumeSnapshots, object: snapshot, finalizer: snapshotInUse });
  return { snapshot: { snapshotId } };
}

async function contentOf(
  snapshot: VolumeSnapshot,
  { client, source: { name }, storageClass }: SourceOptions,
): Promise<VolumeSnapshotContent> {
  const contentName = snapshot.status?.boundVolumeSnapshotContentName;
  if (contentName === undefined) throw new Error(`snapshot ${name} not bound`);
  const content = await client
    .resource(volumeSnapshotContents)
    .get({ name: contentName })
    .catch((error: unknown) => {
      throw new Error(`error getting snapshotcontent ${contentName} for snapshot ${name}`, { cause: error });
    });
  const { volumeSnapshotRef: reference, driver } = content.spec;
  const { uid, namespace } = snapshot.metadata ?? {};
  if (reference.uid !== uid || reference.namespace !== namespace || reference.name !== name)
    throw new Error(`snapshotcontent ${contentName} for snapshot ${name} is bound to a different snapshot`);
  if (driver !== storageClass.provisioner)
    throw new Error(
      `snapshotcontent ${contentName} for snapshot ${name} is not handled by CSI driver of StorageClass ${storageClass.metadata?.name}`,
    );
  return content;
}

function checkSize(snapshot: VolumeSnapshot, claim: PersistentVolumeClaim): void {
  const restoreSize = snapshot.status?.restoreSize;
  if (restoreSize === undefined) return;
  const requested = quantityValue(requestedSize(claim));
  const needed = quantityValue(restoreSize);
  if (requested < needed)
    throw new Error(
      `requested volume size ${requested} is less than the size ${needed} for the source snapshot ${snapshot.metadata?.name}`,
    );
}

/** A file system read as a block device, or the reverse, is a way to attack the kernel: only who owns the content may allow it. */
function checkMode(content: VolumeSnapshotContent, claim: PersistentVolumeClaim): void {
  const { sourceVolumeMode } = content.spec;
  const { volumeMode } = claim.spec ?? {};
  if (sourceVolumeMode === undefined || volumeMode === undefined || sourceVolumeMode === volumeMode) return;
  const allowed = content.metadata?.annotations?.[allowModeChange];
  if (allowed !== undefined && ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(allowed)) return;
  const { namespace, name } = claim.metadata ?? {};
  const contentName = content.metadata?.name;
  throw new Error(
    `requested volume ${namespace}/${name} modifies the mode of the source volume but does not have permission to do so. ${
      allowed === undefined
        ? `${allowModeChange} annotation is not present on snapshotcontent ${contentName}`
        : `${allowModeChange} is set to false on snapshotcontent ${contentName}`
    }`,
  );
}
