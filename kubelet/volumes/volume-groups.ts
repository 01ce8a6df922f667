import type { Pod } from '../../api/types.ts';
import type { MountedVolume } from './container-mounts.ts';

const gidAnnotation = 'pv.beta.kubernetes.io/gid';

/**
 * The groups that PersistentVolumes say their files belong to, without those that the Pod has anyway: its containers get them as
 * supplemental groups (upstream: volume_manager.go GetExtraSupplementalGroupsForPod).
 */
export const volumeGroups = ({ spec }: Pod, volumes: ReadonlyMap<string, MountedVolume>): number[] => {
  const own = spec?.securityContext?.supplementalGroups ?? [];
  const named = [...volumes.values()].flatMap(
    (volume) => volume.spec.persistentVolume?.metadata?.annotations?.[gidAnnotation] ?? [],
  );
  const groups = named.filter((gid) => /^\d+$/.test(gid)).map(Number);
  return [...new Set(groups)].filter((gid) => !own.includes(gid));
};
