import { parseUniqueVolumeName, uniqueVolumeName } from '../../api/storage/attachment.ts';
import type { DriverVolume } from '../../api/storage/attachment.ts';
import type { PersistentVolume, VolumeAttachment } from '../../api/types.ts';
import type { Lister } from '../../client/store.ts';
import { inTreePluginOfPv, translateInTreePv } from '../../csi/translation/index.ts';
import type { World } from './world.ts';

/**
 * Learns what is attached, after a start: what the nodes' status shows, and every VolumeAttachment that a predecessor made. What nobody
 * needs any more is detached then like anything else.
 */
export function recoverAttachments(world: World, volumes: Lister<PersistentVolume>): void {
  for (const node of world.nodes.list()) {
    const name = node.metadata?.name ?? '';
    const shown = (node.status?.volumesAttached ?? []).flatMap((volume) => {
      const identity = parseUniqueVolumeName(volume.name);
      return identity === undefined ? [] : [{ ...identity, uniqueName: volume.name }];
    });
    world.reports.load(
      name,
      shown.map(({ uniqueName }) => uniqueName),
    );
    for (const volume of shown) world.actual.add(volume, name).isConfirmed = true;
  }
  for (const object of world.attachments.list()) recoverAttachment(world, object, volumes);
}

function recoverAttachment(world: World, object: VolumeAttachment, volumes: Lister<PersistentVolume>): void {
  const { name = '', uid, deletionTimestamp } = object.metadata ?? {};
  const identity = identityOf(object, volumes);
  if (identity !== undefined)
    world.actual.add({ ...identity, uniqueName: uniqueVolumeName(identity) }, object.spec.nodeName);
  // Of another name: somebody else has made it, for a purpose of their own.
  const attachment = world.actual.byObjectName(name);
  if (attachment === undefined) return;
  attachment.uid = uid;
  attachment.isDetaching = deletionTimestamp !== undefined;
  attachment.isConfirmed &&= object.status?.attached === true;
}

function identityOf({ spec }: VolumeAttachment, volumes: Lister<PersistentVolume>): DriverVolume | undefined {
  const { inlineVolumeSpec, persistentVolumeName } = spec.source;
  const inline = (inlineVolumeSpec as PersistentVolume['spec'])?.csi;
  if (inline !== undefined) return { driver: inline.driver, handle: inline.volumeHandle };
  const volume = volumes.getByKey(persistentVolumeName ?? '');
  if (volume === undefined) return undefined;
  const { csi } = (inTreePluginOfPv(volume) === undefined ? volume : translateInTreePv(volume)).spec ?? {};
  return csi === undefined ? undefined : { driver: csi.driver, handle: csi.volumeHandle };
}
