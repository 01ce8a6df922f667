import { findMatchingVolume, hasAccessModes } from '../../api/storage/match-volume.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts';

/**
 * The volume to bind a claim to: of the volumes that offer its access modes, those that offer the fewest first, and
 * among them as findMatchingVolume chooses. So a claim that wants little doesn't take what can do more.
 * Source: Kubernetes pkg/controller/volume/persistentvolume/index.go.
 */
export const findBestVolume = ({
  claim,
  volumes,
  ...options
}: {
  claim: PersistentVolumeClaim;
  volumes: readonly PersistentVolume[];
  excluded?: { has(name: string): boolean };
  delayBinding: boolean;
}): PersistentVolume | undefined => {
  for (const group of groupsByModes(volumes.filter((volume) => hasAccessModes(volume, claim)))) {
    const found = findMatchingVolume({ claim, volumes: group, ...options });
    if (found !== undefined) return found;
  }
  return undefined;
};

const groupsByModes = (volumes: readonly PersistentVolume[]): PersistentVolume[][] => {
  const groups = new Map<string, { count: number; volumes: PersistentVolume[] }>();
  for (const volume of volumes) {
    const modes = [...new Set(volume.spec?.accessModes)].sort();
    const group = groups.get(modes.join()) ?? { count: modes.length, volumes: [] };
    group.volumes.push(volume);
    groups.set(modes.join(), group);
  }
  return [...groups.values()].sort((a, b) => a.count - b.count).map((group) => group.volumes);
};
