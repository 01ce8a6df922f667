import { bindCompleted, boundByController, selectedNode } from '../../api/storage/annotations.ts';
import { isVolumeBoundToClaim } from '../../api/storage/bind-volume.ts';
import { mismatchOf } from '../../api/storage/match-volume.ts';
import { classOfClaim, defaultClassOf, hasClass, isDelayedBinding } from '../../api/storage/storage-class.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { keyOf } from '../../client/objects.ts';
import { persistentVolumes } from '../../client/resources.ts';
import { isPodTerminated, podsByClaim } from '../pods-by-claim.ts';
import { findBestVolume } from './best-volume.ts';
import { bind } from './bind.ts';
import { claimKeyOf, hasAnnotation, nameOf } from './binder.ts';
import type { Binder } from './binder.ts';
import { annealClaim } from './migration.ts';
import { requestVolume } from './request-volume.ts';
import { loseClaim, saveClaim, setClaimPhase } from './save.ts';

/**
 * Decides about one claim (Kubernetes pkg/controller/volume/persistentvolume syncClaim):
 *
 *     bind-completed │ volumeName │ volume
 *     ───────────────┼────────────┼──────────────────────────────────────────────────────────────
 *     no             │ none       │ a fitting one ─▶ bind; else wait for a Pod, or ask a provisioner
 *     no             │ given      │ free and fitting, or reserved for it ─▶ bind; else Pending
 *     yes            │ none       │ Lost
 *     yes            │ given      │ ours ─▶ bind again what is missing; gone or another's ─▶ Lost
 */
export const syncClaim = async (present: PersistentVolumeClaim, binder: Binder): Promise<void> => {
  const claim = await annealClaim(present, binder);
  if (hasAnnotation(claim, bindCompleted)) return syncBoundClaim(claim, binder);
  const volumeName = claim.spec?.volumeName ?? '';
  if (volumeName === '') return syncUnboundClaim(claim, binder);
  const volume = binder.volumes.getByKey(volumeName);
  if (volume === undefined) return stayPending(claim, binder);
  return syncClaimOfVolume(claim, { volume, binder });
};

const stayPending = async (claim: PersistentVolumeClaim, binder: Binder): Promise<void> => {
  await setClaimPhase(claim, { phase: 'Pending' }, binder);
};

/** The claim takes any volume. */
const syncUnboundClaim = async (claim: PersistentVolumeClaim, binder: Binder): Promise<void> => {
  const delayBinding = isDelayedBinding(binder.classes.getByKey(classOfClaim(claim)));
  const volume = findVolume(claim, { binder, delayBinding });
  if (volume !== undefined) return bind({ volume, claim }, binder);
  if (await assignDefaultClass(claim, binder)) return undefined;
  if (delayBinding && !hasAnnotation(claim, selectedNode)) announceWait(claim, binder);
  else if (classOfClaim(claim) !== '') return requestVolume(claim, binder);
  else
    binder.announce(claim, {
      type: 'Normal',
      reason: 'FailedBinding',
      message: 'no persistent volumes available for this claim and no storage class is set',
    });
  return stayPending(claim, binder);
};

const findVolume = (
  claim: PersistentVolumeClaim,
  { binder, delayBinding }: { binder: Binder; delayBinding: boolean },
): PersistentVolume | undefined => {
  const key = keyOf(claim);
  const excluded = {
    has(name: string): boolean {
      const taken = binder.taken.get(name);
      if (taken === undefined || taken.by === key) return false;
      taken.passedOver.add(key);
      return true;
    },
  };
  return findBestVolume({ claim, volumes: binder.volumes.list(), excluded, delayBinding });
};

/** A claim that says nothing about a class gets the default one, also when that came later than the claim. */
const assignDefaultClass = async (claim: PersistentVolumeClaim, binder: Binder): Promise<boolean> => {
  const storageClassName = hasClass(claim)
    ? undefined
    : defaultClassOf(binder.classes.list())?.metadata?.name;
  if (storageClassName === undefined) return false;
  await saveClaim({ ...claim, spec: { ...claim.spec, storageClassName } }, binder);
  binder.queueClaim(keyOf(claim));
  return true;
};

/** The scheduler has not chosen a node yet; says what the claim waits for. */
const announceWait = (claim: PersistentVolumeClaim, { announce, pods }: Binder): void => {
  const names = pods
    .byIndex(podsByClaim, keyOf(claim))
    .filter((pod) => !isPodTerminated(pod) && (pod.spec?.nodeName ?? '') === '')
    .map(({ metadata }) => metadata?.name ?? '');
  if (names.length === 0) {
    const message = 'waiting for first consumer to be created before binding';
    announce(claim, { type: 'Normal', reason: 'WaitForFirstConsumer', message });
    return;
  }
  const message = `waiting for ${names.length > 1 ? 'pods' : 'pod'} ${names.join()} to be scheduled`;
  announce(claim, { type: 'Normal', reason: 'WaitForPodScheduled', message });
};

/** The claim names a volume, which is there. */
const syncClaimOfVolume = async (
  claim: PersistentVolumeClaim,
  { volume, binder }: { volume: PersistentVolume; binder: Binder },
): Promise<void> => {
  const name = JSON.stringify(nameOf(volume));
  const refuse = (reason: string, message: string) =>
    binder.announce(claim, { type: 'Warning', reason, message });
  if (volume.spec?.claimRef === undefined) {
    const mismatch = mismatchOf(volume, claim);
    if (mismatch === undefined) return bind({ volume, claim }, binder);
    refuse('VolumeMismatch', `Cannot bind to requested volume ${name}: ${mismatch}`);
    return stayPending(claim, binder);
  }
  if (isVolumeBoundToClaim(volume, claim)) return bind({ volume, claim }, binder);
  refuse('FailedBinding', `volume ${name} already bound to a different claim.`);
  if (!hasAnnotation(claim, boundByController)) return stayPending(claim, binder);
  // Somebody took bind-completed off a bound claim: too strange to write anything.
  throw new Error(
    `invalid binding of claim "${keyOf(claim)}" to volume ${name}: ` +
      `volume already claimed by "${claimKeyOf(volume) ?? ''}"`,
  );
};

const syncBoundClaim = async (claim: PersistentVolumeClaim, binder: Binder): Promise<void> => {
  const lose = (reason: string, message: string) => loseClaim(claim, { reason, message }, binder);
  const volumeName = claim.spec?.volumeName ?? '';
  if (volumeName === '')
    return lose(
      'ClaimLost',
      'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    );
  const volume = await boundVolume(claim, { volumeName, binder });
  if (volume === undefined)
    return lose('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  if (mayBeBoundTo(volume, claim)) return bind({ volume, claim }, binder);
  return lose('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
};

/** Without claimRef: somebody unbound the volume, or its newest state isn't known yet. Both ways binding is right. */
const mayBeBoundTo = ({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean =>
  spec?.claimRef === undefined || spec.claimRef.uid === metadata?.uid;

/** Before a claim is given up for lost, the server is asked: what is known here may be old. */
const boundVolume = async (
  claim: PersistentVolumeClaim,
  { volumeName, binder }: { volumeName: string; binder: Binder },
): Promise<PersistentVolume | undefined> => {
  const known = binder.volumes.getByKey(volumeName);
  if (known !== undefined && mayBeBoundTo(known, claim)) return known;
  try {
    return await binder.client.resource(persistentVolumes).get({ name: volumeName });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};
