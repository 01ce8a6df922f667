import { preResizeCapacity, storageResizer } from '../../api/storage/annotations.ts';
import { requestedSize } from '../../api/storage/match-volume.ts';
import { compareQuantities } from '../../api/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';
import { keyOf } from '../../client/objects.ts';
import { persistentVolumeClaims, persistentVolumes } from '../../client/resources.ts';
import { csiNameFor, inTreePluginOfPv } from '../../csi/translation/index.ts';

/**
 * What is left of growing volumes inside of Kubernetes: to say that a CSI driver's resizer does it, and for volumes that
 * are translated to a CSI driver to name that one in an annotation (Kubernetes pkg/controller/volume/expand).
 */
export const volumeExpandController: ControllerFactory = (context) => {
  const { client, informers } = context;
  const informer = informers.informer(persistentVolumeClaims);
  const volumes = informers.informer(persistentVolumes).lister;
  const recorder = context.recorder('volume_expand');
  const tell = (object: PersistentVolumeClaim, message: string) =>
    recorder.event({ object, type: 'Normal', reason: 'ExternalExpanding', message });

  const setResizer = async (claim: PersistentVolumeClaim, driver: string): Promise<void> => {
    if (claim.metadata?.annotations?.[storageResizer] === driver) return;
    const { name = '', namespace, uid } = claim.metadata ?? {};
    const patch = { metadata: { uid, annotations: { [storageResizer]: driver } } };
    await client.resource(persistentVolumeClaims).patch({ name, namespace, type: 'merge', patch });
  };

  const reconciler = createReconciler({
    name: 'volume-expand',
    context,
    async reconcile(key) {
      const claim = informer.lister.getByKey(key);
      if (claim === undefined) return;
      const name = claim.spec?.volumeName ?? '';
      const volume = volumes.getByKey(name) ?? (await client.resource(persistentVolumes).get({ name }));
      if (volume.spec?.claimRef?.uid !== claim.metadata?.uid)
        throw new Error(`persistent Volume is not bound to PVC being updated : ${key}`);
      if (!wantsGrowth(claim, volume)) return;
      const plugin = inTreePluginOfPv(volume);
      const driver = plugin === undefined ? undefined : csiNameFor(plugin);
      if (plugin === undefined || driver === undefined)
        return tell(claim, 'waiting for an external controller to expand this PVC');
      tell(claim, `CSI migration enabled for ${plugin}; waiting for external resizer to expand the pvc`);
      await setResizer(claim, driver);
    },
  });

  const queue = (claim: PersistentVolumeClaim) => {
    if (claim.status?.phase === 'Bound') reconciler.queue.add(keyOf(claim));
  };
  const unfollow = informer.addHandler({
    add: queue,
    update(claim, previous) {
      const hasGrown = (sizeOf: (claim: PersistentVolumeClaim) => string) =>
        compareQuantities(sizeOf(claim), sizeOf(previous)) > 0;
      if (hasGrown(requestedSize) || hasGrown(presentSize)) queue(claim);
    },
  });
  return {
    stop() {
      unfollow();
      return reconciler.stop();
    },
  };
};

const presentSize = ({ status }: PersistentVolumeClaim): string => status?.capacity?.['storage'] ?? '0';

const wantsGrowth = (claim: PersistentVolumeClaim, { metadata }: PersistentVolume): boolean =>
  compareQuantities(requestedSize(claim), presentSize(claim)) > 0 ||
  metadata?.annotations?.[preResizeCapacity] !== undefined;
