import { claimKeysOf } from '../../api/storage/pod-claims.ts';
import { classOfVolume, isDefaultClass, isDelayedBinding } from '../../api/storage/storage-class.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../api/types.ts';
import type { ControllerContext } from '../../client/controller.ts';
import { keyOf } from '../../client/objects.ts';
import { persistentVolumeClaims, persistentVolumes, pods, storageClasses } from '../../client/resources.ts';
import { isPodTerminated } from '../pods-by-claim.ts';
import type { Announcements } from './announcements.ts';
import {
  claimKeyOf,
  claimsByVolume,
  nameOf,
  unboundByClass,
  volumeNameOf,
  volumesByClaim,
} from './binder.ts';
import type { Binder } from './binder.ts';

interface Followed {
  binder: Binder;
  announcements: Announcements;
}

/**
 * Keeps the binder's stores up to date, and queues what a change may concern. Upstream leaves most of that to its
 * resync; here nobody waits for it. Answers how to stop.
 */
export const followObjects = ({ informers }: ControllerContext, followed: Followed): (() => void) => {
  const unfollow = [
    informers.informer(persistentVolumes).addHandler(volumeHandler(followed)),
    informers.informer(persistentVolumeClaims).addHandler(claimHandler(followed)),
    informers.informer(storageClasses).addHandler(classHandler(followed)),
    informers.informer(pods).addHandler(podHandler(followed)),
  ];
  return () => {
    for (const each of unfollow) each();
  };
};

const volumeHandler = ({ binder, announcements }: Followed) => {
  const set = (volume: PersistentVolume) => {
    if (!binder.volumes.observe(volume)) return;
    binder.queueVolume(nameOf(volume));
    wakeClaims(volume, binder);
  };
  return {
    add: set,
    update: set,
    delete(volume: PersistentVolume) {
      binder.volumes.forget(volume);
      announcements.forget(volume);
      wakeClaims(volume, binder);
    },
  };
};

/** Queues the claims to which a change of this volume may be good or bad news. */
const wakeClaims = (volume: PersistentVolume, { claims, classes, queueClaim }: Binder): void => {
  for (const claim of claims.byIndex(claimsByVolume, nameOf(volume))) queueClaim(keyOf(claim));
  const claimKey = claimKeyOf(volume);
  if (claimKey !== undefined) return queueClaim(claimKey);
  const className = classOfVolume(volume);
  if (volume.status?.phase !== 'Available' || isDelayedBinding(classes.getByKey(className))) return;
  for (const claim of claims.byIndex(unboundByClass, className)) queueClaim(keyOf(claim));
};

const claimHandler = ({ binder, announcements }: Followed) => {
  const wakeVolumes = (claim: PersistentVolumeClaim) => {
    for (const volume of binder.volumes.byIndex(volumesByClaim, keyOf(claim)))
      binder.queueVolume(nameOf(volume));
  };
  const set = (claim: PersistentVolumeClaim) => {
    if (!binder.claims.observe(claim)) return;
    binder.queueClaim(keyOf(claim));
    wakeVolumes(claim);
  };
  return {
    add: set,
    update: set,
    delete(claim: PersistentVolumeClaim) {
      binder.claims.forget(claim);
      announcements.forget(claim);
      wakeVolumes(claim);
      if (volumeNameOf(claim) !== '') binder.queueVolume(volumeNameOf(claim));
    },
  };
};

const classHandler = ({ binder }: Followed) => {
  const wake = ({ metadata }: StorageClass) => {
    const names = [metadata?.name ?? '', ...(isDefaultClass(metadata) ? [''] : [])];
    for (const claim of names.flatMap((name) => binder.claims.byIndex(unboundByClass, name)))
      binder.queueClaim(keyOf(claim));
  };
  return { add: wake, update: wake };
};

const podHandler = ({ binder }: Followed) => {
  const wake = (pod: Pod) => {
    if (isUnschedulable(pod)) wakeUnbound(pod, binder);
    if (isPodTerminated(pod)) wakeReleased(pod, binder);
  };
  return { add: wake, update: wake, delete: (pod: Pod) => wakeReleased(pod, binder) };
};

const isUnschedulable = ({ status }: Pod): boolean =>
  (status?.conditions ?? []).some(
    (condition) => condition.type === 'PodScheduled' && condition.status === 'False',
  );

/** The claims can now tell for which pod they wait. */
const wakeUnbound = (pod: Pod, { claims, queueClaim }: Binder): void => {
  for (const key of claimKeysOf(pod)) {
    const claim = claims.getByKey(key);
    if (claim !== undefined && volumeNameOf(claim) === '') queueClaim(key);
  }
};

/** Volumes that are to be recycled wait for the last pod that used them. */
const wakeReleased = (pod: Pod, { volumes, queueVolume }: Binder): void => {
  for (const volume of claimKeysOf(pod).flatMap((key) => volumes.byIndex(volumesByClaim, key)))
    if (volume.status?.phase === 'Released') queueVolume(nameOf(volume));
};
