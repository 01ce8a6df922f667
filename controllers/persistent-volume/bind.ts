import { bindCompleted, boundByController } from '../../api/storage/annotations.ts';
import { bindVolumeToClaim } from '../../api/storage/bind-volume.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts';
import { isConflict } from '../../client/errors.ts';
import { keyOf } from '../../client/objects.ts';
import { hasAnnotation, nameOf } from './binder.ts';
import type { Binder } from './binder.ts';
import { saveClaim, saveVolume, setClaimPhase, setVolumePhase } from './save.ts';

/**
 * Binds both ways, each step a write of its own that may be the last one before a crash, so the order counts:
 *
 *     volume.spec.claimRef ─▶ volume Bound ─▶ claim.spec.volumeName, bind-completed ─▶ claim Bound
 *
 * What is there already isn't written again. Of two claims that want one volume, the first write decides: the
 * other's is a Conflict, and its claim looks for another volume.
 */
export const bind = async (
  { volume, claim }: { volume: PersistentVolume; claim: PersistentVolumeClaim },
  binder: Binder,
): Promise<void> => {
  const name = nameOf(volume);
  const taken = { by: keyOf(claim), passedOver: new Set<string>() };
  const isOurs = !binder.taken.has(name);
  if (isOurs) binder.taken.set(name, taken);
  try {
    const wanted = bindVolumeToClaim(volume, claim);
    const referring = wanted === volume ? volume : await saveVolume(wanted, binder);
    const boundVolume = await setVolumePhase(referring, { phase: 'Bound' }, binder);
    const named = await bindClaimToVolume(claim, { volume: boundVolume, binder });
    await setClaimPhase(named, { phase: 'Bound', volume: boundVolume }, binder);
  } catch (error) {
    // Not this claim: it comes again with back-off.
    for (const key of taken.passedOver) binder.queueClaim(key);
    throw error;
  } finally {
    if (isOurs) binder.taken.delete(name);
  }
};

const bindClaimToVolume = async (
  claim: PersistentVolumeClaim,
  { volume, binder }: { volume: PersistentVolume; binder: Binder },
): Promise<PersistentVolumeClaim> => {
  const isBound = claim.spec?.volumeName === nameOf(volume);
  if (isBound && hasAnnotation(claim, bindCompleted)) return claim;
  const annotations = {
    ...(isBound ? {} : { [boundByController]: 'yes' }),
    [bindCompleted]: 'yes',
    ...claim.metadata?.annotations,
  };
  const metadata = { ...claim.metadata, annotations };
  return saveClaim({ ...claim, metadata, spec: { ...claim.spec, volumeName: nameOf(volume) } }, binder);
};

/**
 * Takes back what `bind` did to the volume: it is Available again. A volume that was reserved for the claim by an
 * administrator stays reserved, for whichever claim of that name.
 */
export const unbind = async (volume: PersistentVolume, binder: Binder): Promise<void> => {
  const saved = await saveVolume(unbound(volume), binder);
  try {
    await setVolumePhase(saved, { phase: 'Available' }, binder);
  } catch (error) {
    // The volume's own sync has seen that it is unbound, and was faster; or it will be its turn now.
    if (!isConflict(error)) throw error;
  }
};

const unbound = (volume: PersistentVolume): PersistentVolume => {
  const { claimRef, ...spec } = volume.spec ?? {};
  if (!hasAnnotation(volume, boundByController)) {
    const { uid: _, ...reserved } = claimRef ?? {};
    return { ...volume, spec: { ...spec, claimRef: reserved } };
  }
  const { [boundByController]: _, ...annotations } = volume.metadata?.annotations ?? {};
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec };
};
