import { attributesClassProtection } from '../../api/storage/annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim, VolumeAttributesClass } from '../../api/types.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';
import {
  persistentVolumeClaims,
  persistentVolumes,
  volumeAttributesClasses,
} from '../../client/resources.ts';
import { isDeletionCandidate, lacksFinalizer, withFinalizer, withoutFinalizer } from '../finalizers.ts';

const byAttributesClass = 'attributes-class';

/** A VolumeAttributesClass that is being deleted stays as long as a claim or a volume has it, had it or wants it. */
export const attributesClassProtectionController: ControllerFactory = (context) => {
  const { client, informers } = context;
  const classInformer = informers.informer(volumeAttributesClasses);
  const claimInformer = informers.informer(persistentVolumeClaims, {
    indexers: { [byAttributesClass]: classesOfClaim },
  });
  const volumeInformer = informers.informer(persistentVolumes, {
    indexers: { [byAttributesClass]: classesOfVolume },
  });
  const save = (object: VolumeAttributesClass) => client.resource(volumeAttributesClasses).update({ object });
  const isUsed = (name: string) =>
    [claimInformer, volumeInformer].some(({ lister }) => lister.byIndex(byAttributesClass, name).length > 0);

  const reconciler = createReconciler({
    name: 'vac-protection',
    context,
    async reconcile(name) {
      const attributesClass = classInformer.lister.getByKey(name);
      if (attributesClass === undefined) return;
      if (isDeletionCandidate(attributesClass, attributesClassProtection)) {
        if (!isUsed(name)) await save(withoutFinalizer(attributesClass, attributesClassProtection));
      } else if (lacksFinalizer(attributesClass, attributesClassProtection))
        await save(withFinalizer(attributesClass, attributesClassProtection));
    },
  });
  reconciler.follow(classInformer);
  const queue = (names: string[]) => {
    for (const name of names) reconciler.queue.add(name);
  };
  const unfollow = [
    claimInformer.addHandler({
      update: (_, previous) => queue(classesOfClaim(previous)),
      delete: (claim) => queue(classesOfClaim(claim)),
    }),
    volumeInformer.addHandler({
      update: (_, previous) => queue(classesOfVolume(previous)),
      delete: (volume) => queue(classesOfVolume(volume)),
    }),
  ];
  return {
    stop() {
      for (const each of unfollow) each();
      return reconciler.stop();
    },
  };
};

const classesOfClaim = ({ spec, status }: PersistentVolumeClaim): string[] => [
  ...new Set(
    [
      spec?.volumeAttributesClassName,
      status?.currentVolumeAttributesClassName,
      status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
    ].flatMap((name) => name || []),
  ),
];

const classesOfVolume = ({ spec }: PersistentVolume): string[] =>
  [spec?.volumeAttributesClassName].flatMap((name) => name || []);
