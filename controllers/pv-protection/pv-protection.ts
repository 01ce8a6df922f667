import { volumeProtection } from '../../api/storage/annotations.ts';
import type { PersistentVolume } from '../../api/types.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';
import { persistentVolumes } from '../../client/resources.ts';
import { isDeletionCandidate, lacksFinalizer, withFinalizer, withoutFinalizer } from '../finalizers.ts';

/**
 * A volume that is being deleted stays until it is no longer Bound. Admission gives new volumes the finalizer; those
 * that have come another way get it here.
 */
export const volumeProtectionController: ControllerFactory = (context) => {
  const { client, informers } = context;
  const informer = informers.informer(persistentVolumes);
  const save = (object: PersistentVolume) => client.resource(persistentVolumes).update({ object });

  const reconciler = createReconciler({
    name: 'pv-protection',
    context,
    async reconcile(name) {
      const volume = informer.lister.getByKey(name);
      if (volume === undefined) return;
      if (isDeletionCandidate(volume, volumeProtection) && volume.status?.phase !== 'Bound')
        await save(withoutFinalizer(volume, volumeProtection));
      else if (lacksFinalizer(volume, volumeProtection)) await save(withFinalizer(volume, volumeProtection));
    },
  });
  reconciler.follow(informer);
  return reconciler;
};
