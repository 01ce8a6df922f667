import { claimProtection } from '../../../api/storage/annotations.ts';
import { claimOfVolume, ephemeralClaimConflict } from '../../../api/storage/pod-claims.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../../api/types.ts';
import { persistentVolumeClaims, persistentVolumes } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import { inTreePluginOfPv, translateInTreePv } from '../../../csi/translation/index.ts';
import { messageOf } from '../../cri/cri-error.ts';
import type { VolumeMode, VolumeSpec } from '../volume-spec.ts';

export interface ResolveOptions {
  client: Client;
  pod: Pod;
  /** One with a claim: persistentVolumeClaim or ephemeral. */
  volume: Volume;
  use: VolumeUse;
  signal?: AbortSignal | undefined;
}

/** How the Pod's containers use the volume. */
export interface VolumeUse {
  asDirectory: boolean;
  asDevice: boolean;
}

/**
 * What is behind a Pod's claim. Always read from the server: a claim of the same name may be another one by now. Rejects with
 * Error in upstream's words (desired_state_of_world_populator.go createVolumeSpec).
 */
export const resolveClaim = async (options: ResolveOptions): Promise<VolumeSpec> => {
  const { pod, volume, use } = options;
  const namespace = pod.metadata?.namespace ?? '';
  const name = claimNameOf(pod, volume);
  const failed = (error: unknown) =>
    new Error(`error processing PVC ${namespace}/${name}: ${messageOf(error)}`, { cause: error });
  const claim = await boundClaim(options, { namespace, name }).catch((error: unknown) => {
    throw failed(error);
  });
  // A claim of the same name that somebody else made must not be taken for the Pod's own.
  const conflict = volume.ephemeral === undefined ? undefined : ephemeralClaimConflict(pod, claim);
  if (conflict !== undefined) throw new Error(conflict);
  const bound = await volumeOf(options, claim).catch((error: unknown) => {
    throw failed(error);
  });
  const persistentVolume = inTreePluginOfPv(bound) === undefined ? bound : translateInTreePv(bound);
  const mode: VolumeMode = persistentVolume.spec?.volumeMode === 'Block' ? 'Block' : 'Filesystem';
  checkMode(volume.name, mode, use);
  return {
    name: persistentVolume.metadata?.name ?? '',
    volume,
    persistentVolume,
    claim,
    readOnly: volume.persistentVolumeClaim?.readOnly ?? false,
    mode,
  };
};

/** The name of the claim behind a volume that has one. */
export const claimNameOf = (pod: Pod, volume: Volume): string => claimOfVolume(pod, volume)?.name ?? '';

const boundClaim = async (
  { client, signal }: ResolveOptions,
  place: { namespace: string; name: string },
): Promise<PersistentVolumeClaim> => {
  const claim = await client
    .resource(persistentVolumeClaims)
    .get({ ...place, signal })
    .catch((error: unknown) => {
      throw new Error(`failed to fetch PVC from API server: ${messageOf(error)}`, { cause: error });
    });
  // A claim that is going away, but is held by its protection, is in use by a Pod: perhaps by this one, before a restart.
  const isProtected = claim.metadata?.finalizers?.includes(claimProtection) === true;
  if (claim.metadata?.deletionTimestamp !== undefined && !isProtected)
    throw new Error('PVC is being deleted');
  if (claim.status?.phase !== 'Bound') throw new Error('PVC is not bound');
  if (!claim.spec?.volumeName) throw new Error('PVC has empty pvc.Spec.VolumeName');
  return claim;
};

const volumeOf = async (
  { client, signal }: ResolveOptions,
  claim: PersistentVolumeClaim,
): Promise<PersistentVolume> => {
  const name = claim.spec?.volumeName ?? '';
  const volume = await client
    .resource(persistentVolumes)
    .get({ name, signal })
    .catch((error: unknown) => {
      throw new Error(`failed to fetch PV ${name} from API server: ${messageOf(error)}`, { cause: error });
    });
  const { claimRef } = volume.spec ?? {};
  if (claimRef === undefined) {
    throw new Error(
      `found PV object ${name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`,
    );
  }
  const uid = claim.metadata?.uid;
  if (claimRef.uid !== uid) {
    throw new Error(
      `found PV object ${name} but its pv.Spec.ClaimRef.UID ${claimRef.uid} does not point to claim.UID ${uid}`,
    );
  }
  return volume;
};

const checkMode = (name: string, mode: VolumeMode, { asDirectory, asDevice }: VolumeUse): void => {
  const mismatch = (where: string) =>
    new Error(`volume ${name} has volumeMode ${mode}, but is specified in ${where}`);
  if (asDirectory && mode !== 'Filesystem') throw mismatch('volumeMounts');
  if (asDevice && mode !== 'Block') throw mismatch('volumeDevices');
};
