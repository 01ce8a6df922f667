import { isDeepStrictEqual } from 'node:util';
import { preResizeCapacity } from '../../api/storage/annotations.ts';
import { compareQuantities, parseQuantity } from '../../api/quantity.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
} from '../../api/types.ts';
import { persistentVolumeClaims, persistentVolumes } from '../../client/resources.ts';
import { nameOf } from './binder.ts';
import type { Binder } from './binder.ts';

/** Writes a claim (not its status); the answer is remembered. */
export const saveClaim = async (claim: PersistentVolumeClaim, { client, claims }: Binder) =>
  claims.remember(await client.resource(persistentVolumeClaims).update({ object: claim }));

/** Writes a volume (not its status); the answer is remembered. */
export const saveVolume = async (volume: PersistentVolume, { client, volumes }: Binder) =>
  volumes.remember(await client.resource(persistentVolumes).update({ object: volume }));

/** Sets a volume's phase, if it is another one. The server notes the time of the transition. */
export const setVolumePhase = async (
  volume: PersistentVolume,
  { phase, message }: { phase: string; message?: string },
  { client, volumes }: Binder,
): Promise<PersistentVolume> => {
  if (volume.status?.phase === phase) return volume;
  const { message: _, ...status } = volume.status ?? {};
  const object = { ...volume, status: { ...status, phase, ...(message === undefined ? {} : { message }) } };
  return volumes.remember(await client.resource(persistentVolumes).updateStatus({ object }));
};

/** Marks a volume Failed and tells why, once. */
export const failVolume = async (
  volume: PersistentVolume,
  { reason, message }: { reason: string; message: string },
  binder: Binder,
): Promise<void> => {
  if (volume.status?.phase === 'Failed') return;
  const failed = await setVolumePhase(volume, { phase: 'Failed', message }, binder);
  binder.recorder.event({ object: failed, type: 'Warning', reason, message });
};

/** Sets a claim's phase, and from its volume (none: nothing) what it has; writes only what changes. */
export const setClaimPhase = async (
  claim: PersistentVolumeClaim,
  { phase, volume }: { phase: string; volume?: PersistentVolume | undefined },
  { client, claims }: Binder,
): Promise<PersistentVolumeClaim> => {
  const present = claim.status ?? {};
  const status =
    volume === undefined ? withoutVolume(present, phase) : withVolume(present, { phase, volume });
  if (isDeepStrictEqual(status, present)) return claim;
  return claims.remember(
    await client.resource(persistentVolumeClaims).updateStatus({ object: { ...claim, status } }),
  );
};

const withoutVolume = (present: PersistentVolumeClaimStatus, phase: string): PersistentVolumeClaimStatus => {
  const status = { ...present, phase };
  delete status.accessModes;
  delete status.capacity;
  delete status.currentVolumeAttributesClassName;
  return status;
};

/**
 * Capacity is taken over only when the claim becomes Bound: later on the two may differ on purpose, while the file
 * system is still to be grown. The same goes for the attributes class, which the resizer keeps afterwards.
 */
const withVolume = (
  present: PersistentVolumeClaimStatus,
  { phase, volume }: { phase: string; volume: PersistentVolume },
): PersistentVolumeClaimStatus => {
  const status: PersistentVolumeClaimStatus = { ...present, phase };
  const { accessModes, volumeAttributesClassName } = volume.spec ?? {};
  if (accessModes !== undefined) status.accessModes = accessModes;
  else delete status.accessModes;
  if (present.phase === phase) return status;
  status.capacity = capacityOf(present, volume);
  if (present.phase === 'Pending') {
    if (volumeAttributesClassName === undefined) delete status.currentVolumeAttributesClassName;
    else status.currentVolumeAttributesClassName = volumeAttributesClassName;
  }
  return status;
};

const capacityOf = (
  present: PersistentVolumeClaimStatus,
  volume: PersistentVolume,
): Record<string, string> => {
  const size = volume.spec?.capacity?.['storage'];
  if (size === undefined)
    throw new Error(`PersistentVolume "${nameOf(volume)}" is without a storage capacity`);
  const before = volume.metadata?.annotations?.[preResizeCapacity];
  if (before !== undefined) return { ...present.capacity, storage: isQuantity(before) ? before : size };
  const known = present.capacity?.['storage'];
  if (known !== undefined && compareQuantities(known, size) === 0) return { ...present.capacity };
  return { ...volume.spec?.capacity };
};

const isQuantity = (text: string): boolean => {
  try {
    parseQuantity(text);
    return true;
  } catch {
    // What is no quantity isn't taken over; upstream logs it and takes the volume's size too.
    return false;
  }
};

/** A terminal phase of a claim and the event that tells it, once. */
export const loseClaim = async (
  claim: PersistentVolumeClaim,
  { reason, message }: { reason: string; message: string },
  binder: Binder,
): Promise<void> => {
  if (claim.status?.phase === 'Lost') return;
  const lost = await setClaimPhase(claim, { phase: 'Lost' }, binder);
  binder.recorder.event({ object: lost, type: 'Warning', reason, message });
};
