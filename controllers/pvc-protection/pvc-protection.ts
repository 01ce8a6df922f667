import { claimProtection } from '../../api/storage/annotations.ts';
import { claimKeysOf, claimOfVolume, ephemeralClaimConflict } from '../../api/storage/pod-claims.ts';
import type { PersistentVolumeClaim, Pod } from '../../api/types.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';
import { keyOf } from '../../client/objects.ts';
import { persistentVolumeClaims, pods } from '../../client/resources.ts';
import { isDeletionCandidate, lacksFinalizer, withFinalizer, withoutFinalizer } from '../finalizers.ts';
import { podsByClaim } from '../pods-by-claim.ts';

/**
 * A claim that is being deleted stays as long as a Pod that has been scheduled uses it. (One that has not will not be
 * started with a claim that is being deleted.) Admission gives new claims the finalizer; those that have come
 * another way get it here.
 */
export const claimProtectionController: ControllerFactory = (context) => {
  const { client, informers } = context;
  const claimInformer = informers.informer(persistentVolumeClaims);
  const podInformer = informers.informer(pods, { indexers: { [podsByClaim]: claimKeysOf } });
  const save = (object: PersistentVolumeClaim) => client.resource(persistentVolumeClaims).update({ object });

  /** What the informer doesn't know the server is asked for: a Pod may have come just now. */
  const isUsed = async (claim: PersistentVolumeClaim, key: string): Promise<boolean> => {
    const uses = (pod: Pod) => usesClaim(pod, claim);
    if (podInformer.lister.byIndex(podsByClaim, key).some(uses)) return true;
    const { items } = await client.resource(pods).list({ namespace: claim.metadata?.namespace });
    return items.some(uses);
  };

  const reconciler = createReconciler({
    name: 'pvc-protection',
    context,
    async reconcile(key) {
      const claim = claimInformer.lister.getByKey(key);
      if (claim === undefined) return;
      if (isDeletionCandidate(claim, claimProtection)) {
        if (!(await isUsed(claim, key))) await save(withoutFinalizer(claim, claimProtection));
      } else if (lacksFinalizer(claim, claimProtection)) await save(withFinalizer(claim, claimProtection));
    },
  });
  const isOurs = (claim: PersistentVolumeClaim) =>
    isDeletionCandidate(claim, claimProtection) || lacksFinalizer(claim, claimProtection);
  const isKnownAsOurs = (key: string) => {
    const claim = claimInformer.lister.getByKey(key);
    return claim !== undefined && isOurs(claim);
  };
  reconciler.follow(claimInformer, (claim) => (isOurs(claim) ? [keyOf(claim)] : []));
  reconciler.follow(podInformer, (pod) => claimKeysOf(pod).filter(isKnownAsOurs));
  return reconciler;
};

/** Whether a Pod that has a node uses the claim; see isShutDown for the end of ephemeral volumes. */
const usesClaim = (pod: Pod, claim: PersistentVolumeClaim): boolean => {
  if ((pod.spec?.nodeName ?? '') === '') return false;
  return (pod.spec?.volumes ?? []).some((volume) => {
    const reference = claimOfVolume(pod, volume);
    if (reference === undefined || reference.name !== claim.metadata?.name) return false;
    if (!reference.isEphemeral) return true;
    return !isShutDown(pod) && ephemeralClaimConflict(pod, claim) === undefined;
  });
};

/**
 * The kubelet is done with the Pod (it deletes with grace 0 at the end), or somebody forced it. Only another finalizer
 * can still hold it, and that one may wait for the Pod's own claim to be gone: a circle that is cut here.
 */
const isShutDown = ({ metadata }: Pod): boolean =>
  metadata?.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;
