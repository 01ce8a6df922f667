import type { PersistentVolume } from '../../api/types.ts';
import type { ControllerContext } from '../../client/controller.ts';
import { persistentVolumeClaims, persistentVolumes } from '../../client/resources.ts';
import { ownerGroupName } from './groups/membership.ts';
import { namespaceOf } from './names.ts';
import {
  volumeGroupSnapshotClasses,
  volumeGroupSnapshotContents,
  volumeGroupSnapshots,
} from './resources.ts';
import { volumeSnapshotClasses, volumeSnapshotContents, volumeSnapshots } from './resources.ts';
import { handleKey } from './snapshotting.ts';
import type { VolumeSnapshot } from './types.ts';

/** What the snapshot controller looks at; claims and volumes are shared with other controllers. */
export const snapshotInformers = ({ informers }: ControllerContext) => ({
  snapshots: informers.informer(volumeSnapshots, {
    indexers: { claim: sourceClaimKeys, group: ownerGroupKeys },
  }),
  contents: informers.informer(volumeSnapshotContents),
  classes: informers.informer(volumeSnapshotClasses),
  groups: informers.informer(volumeGroupSnapshots),
  groupContents: informers.informer(volumeGroupSnapshotContents),
  groupClasses: informers.informer(volumeGroupSnapshotClasses),
  claims: informers.informer(persistentVolumeClaims),
  volumes: informers.informer(persistentVolumes, { indexers: { handle: volumeHandleKeys } }),
});

export type SnapshotInformers = ReturnType<typeof snapshotInformers>;

/** The key of the claim that the snapshot is taken of. */
export const sourceClaimKeys = (snapshot: VolumeSnapshot): string[] => {
  const { persistentVolumeClaimName: name } = snapshot.spec.source;
  return name === undefined ? [] : [`${namespaceOf(snapshot)}/${name}`];
};

const ownerGroupKeys = (snapshot: VolumeSnapshot): string[] => {
  const name = ownerGroupName(snapshot);
  return name === undefined ? [] : [`${namespaceOf(snapshot)}/${name}`];
};

const volumeHandleKeys = ({ spec }: PersistentVolume): string[] =>
  spec?.csi === undefined ? [] : [handleKey(spec.csi.driver, spec.csi.volumeHandle)];
