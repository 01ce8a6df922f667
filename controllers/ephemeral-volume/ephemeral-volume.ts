import { claimKeysOf, ephemeralClaimConflict, ephemeralClaimName } from '../../api/storage/pod-claims.ts';
import type { PersistentVolumeClaim, Pod, Volume } from '../../api/types.ts';
import { createReconciler } from '../../client/controller.ts';
import type { ControllerFactory } from '../../client/controller.ts';
import { keyOf } from '../../client/objects.ts';
import { persistentVolumeClaims, pods } from '../../client/resources.ts';
import { podsByClaim } from '../pods-by-claim.ts';

/**
 * Makes the claims of Pods' generic ephemeral volumes: named `<pod>-<volume>`, owned by the Pod, so that the garbage
 * collector deletes them with it. One that was deleted is made again while its Pod lives.
 */
export const ephemeralVolumeController: ControllerFactory = (context) => {
  const { client, informers } = context;
  const podInformer = informers.informer(pods, { indexers: { [podsByClaim]: claimKeysOf } });
  const claimInformer = informers.informer(persistentVolumeClaims);
  const recorder = context.recorder('ephemeral_volume');

  const ensureClaim = async (pod: Pod, volume: Volume): Promise<void> => {
    const object = ephemeralClaimOf(pod, volume);
    if (object === undefined) return;
    const present = claimInformer.lister.getByKey(keyOf(object));
    if (present === undefined) {
      await createClaim(object);
      return;
    }
    const conflict = ephemeralClaimConflict(pod, present);
    if (conflict !== undefined) throw new Error(conflict);
  };

  const createClaim = async (object: PersistentVolumeClaim): Promise<void> => {
    try {
      await client.resource(persistentVolumeClaims).create({ object });
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      throw new Error(`create PVC ${object.metadata?.name ?? ''}: ${cause}`, { cause: error });
    }
  };

  const reconciler = createReconciler({
    name: 'ephemeral-volume',
    context,
    async reconcile(key) {
      const pod = podInformer.lister.getByKey(key);
      if (pod === undefined || !isOurs(pod)) return;
      for (const volume of pod.spec?.volumes ?? []) {
        try {
          await ensureClaim(pod, volume);
        } catch (error) {
          const cause = error instanceof Error ? error.message : String(error);
          const message = `ephemeral volume ${volume.name}: ${cause}`;
          recorder.event({ object: pod, type: 'Warning', reason: 'FailedBinding', message });
          throw new Error(`pod ${key}, ${message}`, { cause: error });
        }
      }
    },
  });
  // A Pod's volumes never change, and its claims go with it: only its coming counts.
  const unfollow = [
    podInformer.addHandler({
      add: (pod) => {
        if (isOurs(pod)) reconciler.queue.add(keyOf(pod));
      },
    }),
    claimInformer.addHandler({
      delete(claim) {
        for (const pod of podInformer.lister.byIndex(podsByClaim, keyOf(claim)))
          if (isOurs(pod)) reconciler.queue.add(keyOf(pod));
      },
    }),
  ];
  return {
    stop() {
      for (const each of unfollow) each();
      return reconciler.stop();
    },
  };
};

const isOurs = ({ metadata, spec }: Pod): boolean =>
  metadata?.deletionTimestamp === undefined &&
  (spec?.volumes ?? []).some(({ ephemeral }) => ephemeral !== undefined);

/** The claim of a Pod's volume as its template wants it; undefined for volumes of other kinds. */
const ephemeralClaimOf = (pod: Pod, volume: Volume): PersistentVolumeClaim | undefined => {
  const template = volume.ephemeral?.volumeClaimTemplate;
  if (template === undefined) return undefined;
  const { labels, annotations } = template.metadata ?? {};
  const { name = '', namespace, uid = '' } = pod.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: ephemeralClaimName(pod, volume),
      ...(namespace === undefined ? {} : { namespace }),
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Pod', name, uid, controller: true, blockOwnerDeletion: true },
      ],
      ...(annotations === undefined ? {} : { annotations }),
      ...(labels === undefined ? {} : { labels }),
    },
    spec: template.spec,
  };
};
