import type { PersistentVolumeClaim, Pod, Volume } from '../types.ts';

/** A claim that a Pod's volume stands for. */
export interface ClaimReference {
  name: string;
  /** Made for this Pod alone, from the volume's own template (a generic ephemeral volume). */
  isEphemeral: boolean;
}

/** The claim behind a volume of a Pod; undefined for volumes that are something else. */
export const claimOfVolume = (pod: Pod, volume: Volume): ClaimReference | undefined => {
  if (volume.persistentVolumeClaim !== undefined) {
    return { name: volume.persistentVolumeClaim.claimName, isEphemeral: false };
  }
  if (volume.ephemeral === undefined) return undefined;
  return { name: ephemeralClaimName(pod, volume), isEphemeral: true };
};

/** All claims of a Pod, in the order of its volumes. */
export const claimsOfPod = (pod: Pod): ClaimReference[] =>
  (pod.spec?.volumes ?? []).flatMap((volume) => claimOfVolume(pod, volume) ?? []);

/** `namespace/name` of each claim of a Pod. */
export const claimKeysOf = (pod: Pod): string[] =>
  claimsOfPod(pod).map(({ name }) => `${pod.metadata?.namespace ?? ''}/${name}`);

/** The name of a generic ephemeral volume's claim (k8s.io/component-helpers storage/ephemeral). */
export const ephemeralClaimName = (pod: Pod, { name }: Pick<Volume, 'name'>): string =>
  `${pod.metadata?.name ?? ''}-${name}`;

/** Why a claim with an ephemeral volume's name isn't that volume's claim, in upstream's words; undefined when it is. */
export const ephemeralClaimConflict = (pod: Pod, claim: PersistentVolumeClaim): string | undefined => {
  const { namespace = '', name = '', ownerReferences = [] } = claim.metadata ?? {};
  const isOwner = ownerReferences.some(
    ({ controller, uid }) => controller === true && uid === pod.metadata?.uid,
  );
  if (isOwner && namespace === (pod.metadata?.namespace ?? '')) return undefined;
  const owner = `${pod.metadata?.namespace ?? ''}/${pod.metadata?.name ?? ''}`;
  return `PVC ${namespace}/${name} was not created for pod ${owner} (pod is not owner)`;
};
