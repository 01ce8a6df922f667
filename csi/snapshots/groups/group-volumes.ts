import { labelSelectorMatcher } from '../../../api/selectors/labels.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types.ts';
import { persistentVolumeClaims } from '../../../client/resources.ts';
import { namespaceOf } from '../names.ts';
import { boundVolume } from '../source-volume.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeGroupSnapshot } from '../types.ts';

/** The volumes of the claims that the group's selector finds, by the claims' names. Rejects with upstream's words. */
export const groupVolumes = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
): Promise<PersistentVolume[]> => {
  const claims = await groupClaims(world, group);
  return Promise.all(claims.map((claim) => boundVolume(world, claim, 'group snapshot')));
};

/** Asked of the server: a claim that the cache doesn't show yet would be missing from the group for ever. */
const groupClaims = async (
  { client }: Snapshotting,
  group: VolumeGroupSnapshot,
): Promise<PersistentVolumeClaim[]> => {
  const matcher = labelSelectorMatcher(group.spec.source.selector);
  const options = { namespace: namespaceOf(group), labelSelector: matcher.toString() };
  const { items } = await client.resource(persistentVolumeClaims).list(options);
  if (items.length > 0) return items.toSorted(byName);
  const text = matcher.requirements.length === 0 ? '<none>' : matcher.toString();
  throw new Error(`label selector ${text} for group snapshot not applied to any PVC`);
};

const byName = ({ metadata: one }: PersistentVolumeClaim, { metadata: other }: PersistentVolumeClaim) =>
  (one?.name ?? '') < (other?.name ?? '') ? -1 : 1;
