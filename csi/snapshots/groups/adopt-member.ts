import { nameOf, namespaceOf, uidOf } from '../names.ts';
import { groupSnapshotGroup, volumeSnapshots } from '../resources.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeGroupSnapshot, VolumeSnapshot } from '../types.ts';
import { isGroupMember } from './membership.ts';

/** Makes the group the owner of a member that an administrator made; nothing to do for any other snapshot. */
export const adoptMember = async (
  { client, groups }: Snapshotting,
  snapshot: VolumeSnapshot,
): Promise<void> => {
  const { volumeGroupSnapshotName: name = '' } = snapshot.status ?? {};
  if (name === '' || isGroupMember(snapshot)) return;
  const group = groups.get({ namespace: namespaceOf(snapshot), name });
  if (group === undefined)
    throw new Error(`missing parent group for snapshot ${namespaceOf(snapshot)}/${nameOf(snapshot)}`);
  const { resourceVersion, ownerReferences = [] } = snapshot.metadata ?? {};
  await client.resource(volumeSnapshots).patch({
    name: nameOf(snapshot),
    namespace: namespaceOf(snapshot),
    type: 'merge',
    patch: { metadata: { resourceVersion, ownerReferences: [...ownerReferences, ownerReferenceTo(group)] } },
  });
};

export const ownerReferenceTo = (group: VolumeGroupSnapshot) => ({
  apiVersion: `${groupSnapshotGroup}/v1`,
  kind: 'VolumeGroupSnapshot',
  name: nameOf(group),
  uid: uidOf(group),
});
