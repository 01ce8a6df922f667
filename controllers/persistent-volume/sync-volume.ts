import { provisionedBy } from '../../api/storage/annotations.ts';
import { hasVolumeMode } from '../../api/storage/match-volume.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { keyOf } from '../../client/objects.ts';
import { persistentVolumeClaims } from '../../client/resources.ts';
import { unbind } from './bind.ts';
import { claimKeyOf, hasAnnotation, nameOf } from './binder.ts';
import type { Binder } from './binder.ts';
import { annealVolume } from './migration.ts';
import { reclaim } from './reclaim.ts';
import { setVolumePhase } from './save.ts';

/**
 * Decides about one volume (Kubernetes pkg/controller/volume/persistentvolume syncVolume):
 *
 *     claimRef   │ the claim          │
 *     ───────────┼────────────────────┼────────────────────────────────────────────────
 *     none       │                    │ Available
 *     no uid     │ (reserved)         │ Available; the claim binds
 *     with uid   │ is gone            │ Released, and what the reclaim policy asks for
 *     with uid   │ names no volume    │ the claim binds, if the volumeMode allows it
 *     with uid   │ names this one     │ Bound
 *     with uid   │ names another one  │ made for the claim: deleted; else unbound
 */
export const syncVolume = async (present: PersistentVolume, binder: Binder): Promise<void> => {
  const volume = await annealVolume(present, binder);
  const claimRef = volume.spec?.claimRef;
  if (claimRef === undefined || (claimRef.uid ?? '') === '') {
    await setVolumePhase(volume, { phase: 'Available' }, binder);
    return;
  }
  const claim = await claimOf(volume, binder);
  if (claim === undefined) return release(volume, binder);
  const volumeName = claim.spec?.volumeName ?? '';
  if (volumeName === '') return letClaimBind(volume, { claim, binder });
  if (volumeName === nameOf(volume)) {
    await setVolumePhase(volume, { phase: 'Bound' }, binder);
    return;
  }
  const isSuperfluous =
    hasAnnotation(volume, provisionedBy) && volume.spec?.persistentVolumeReclaimPolicy === 'Delete';
  await (isSuperfluous ? release(volume, binder) : unbind(volume, binder));
};

/**
 * The claim that a volume is bound to; undefined when it is gone, or another one has its name. The server is asked before
 * a volume is given up for released: the provisioner's volume may be known here before its claim is.
 */
const claimOf = async (
  volume: PersistentVolume,
  binder: Binder,
): Promise<PersistentVolumeClaim | undefined> => {
  const known = binder.claims.getByKey(claimKeyOf(volume) ?? '');
  const isOurs = (claim: PersistentVolumeClaim | undefined) =>
    claim?.metadata?.uid === volume.spec?.claimRef?.uid;
  if (known !== undefined && isOurs(known)) return known;
  if (known === undefined && isGivenUp(volume)) return undefined;
  const live = await readClaim(volume, binder);
  return isOurs(live) ? live : undefined;
};

const readClaim = async (
  { spec }: PersistentVolume,
  { client }: Binder,
): Promise<PersistentVolumeClaim | undefined> => {
  const { name = '', namespace } = spec?.claimRef ?? {};
  try {
    return await client.resource(persistentVolumeClaims).get({ name, namespace });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

const isGivenUp = ({ status }: PersistentVolume): boolean =>
  status?.phase === 'Released' || status?.phase === 'Failed';

/** Failed stays Failed, so that the user sees that something went wrong; it is tried again all the same. */
const release = async (volume: PersistentVolume, binder: Binder): Promise<void> => {
  const released = isGivenUp(volume) ? volume : await setVolumePhase(volume, { phase: 'Released' }, binder);
  await reclaim(released, binder);
};

const letClaimBind = (
  volume: PersistentVolume,
  { claim, binder }: { claim: PersistentVolumeClaim; binder: Binder },
): void => {
  if (hasVolumeMode(volume, claim)) return binder.queueClaim(keyOf(claim));
  const tell = (object: PersistentVolume | PersistentVolumeClaim, message: string) =>
    binder.announce(object, { type: 'Warning', reason: 'VolumeMismatch', message });
  const cause = 'due to incompatible volumeMode.';
  tell(volume, `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${nameOf(claim)}" ${cause}`);
  tell(claim, `Cannot bind PersistentVolume "${nameOf(volume)}" to requested PersistentVolumeClaim ${cause}`);
};
