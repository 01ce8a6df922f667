import { labelSelectorMatcher } from '../../../api/selectors/labels.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types.ts';
import { namespaceOf } from '../names.ts';
import { boundVolume } from '../source-volume.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeGroupSnapshot } from '../types.ts';

/** The volumes of the claims that the group's selector finds, by the claims' names. Rejects with upstream's words. */
export const groupVolumes = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
): Promise<PersistentVolume[]> => {
  const claims = groupClaims(world, group);
  return Promise.all(claims.map((claim) => boundVolume(world, claim, 'group snapshot')));
};

const groupClaims = ({ claims }: Snapshotting, group: VolumeGroupSnapshot): PersistentVolumeClaim[] => {
  const matcher = labelSelectorMatcher(group.spec.source.selector);
  const found = claims
    .list({ namespace: namespaceOf(group) })
    .filter(({ metadata }) => matcher.matches(metadata?.labels));
  if (found.length > 0) return found.toSorted(byName);
  const text = matcher.requirements.length === 0 ? '<none>' : matcher.toString();
  throw new Error(`label selector ${text} for group snapshot not applied to any PVC`);
};

const byName = ({ metadata: one }: PersistentVolumeClaim, { metadata: other }: PersistentVolumeClaim) =>
  (one?.name ?? '') < (other?.name ?? '') ? -1 : 1;
