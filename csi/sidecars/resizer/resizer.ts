import { compareQuantities } from '../../../api/quantity.ts';
import { preResizeCapacity, storageResizer } from '../../../api/storage/annotations.ts';
import { isVolumeBoundToClaim } from '../../../api/storage/bind-volume.ts';
import { requestedSize } from '../../../api/storage/match-volume.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/types.ts';
import { createReconciler } from '../../../client/controller.ts';
import type { Controller, ControllerContext } from '../../../client/controller.ts';
import { keyOf } from '../../../client/objects.ts';
import { persistentVolumeClaims, persistentVolumes } from '../../../client/resources.ts';
import { inTreeNameFor } from '../../translation/index.ts';
import { sidecarBackOff } from '../back-off.ts';
import type { SidecarDriver } from '../driver.ts';
import { expand } from './expand.ts';
import type { Growth } from './expand.ts';
import { watchUse } from './in-use.ts';
import { reconcileAttributes } from './modify.ts';
import type { Resizer, ResizerOptions } from './settings.ts';
import { resizeStatus } from './target-size.ts';

export type { ResizerOptions } from './settings.ts';

/**
 * Grows the volumes of claims that ask for more, and changes their attributes to those of another VolumeAttributesClass: what
 * kubernetes-csi/external-resizer v2 does.
 *
 *     asked for more ──ControllerExpandVolume──▶ volume's capacity ──node has nothing to do──▶ claim's capacity
 *                                                      └── NodeResizePending: the kubelet grows the file system ──▶ ↑
 */
export const createResizer =
  (driver: SidecarDriver, options: ResizerOptions = {}) =>
  (context: ControllerContext): Controller => {
    const stopping = new AbortController();
    const { informers } = context;
    const resizer: Resizer = {
      driver,
      context,
      events: context.recorder(`external-resizer ${driver.name}`),
      claims: informers.informer(persistentVolumeClaims),
      volumes: informers.informer(persistentVolumes),
      slowRetryMs: options.retryMaxMs ?? 300_000,
      signal: stopping.signal,
    };
    const controllers = [reconcileSizes(resizer, options), reconcileAttributes(resizer, options)];
    return {
      async stop() {
        stopping.abort(new Error('the resizer is stopped'));
        await Promise.all(controllers.map((controller) => controller.stop()));
      },
    };
  };

function reconcileSizes(resizer: Resizer, options: ResizerOptions): Controller {
  const { driver, context, claims } = resizer;
  const inUse = watchUse(resizer, (key) => reconciler.queue.add(key));
  const growth: Growth = { finalErrors: new Set(), infeasible: new Map(), inUse };
  const reconciler = createReconciler({
    name: `csi-resizer ${driver.name}`,
    context,
    concurrency: options.workerThreads ?? 10,
    rateLimiter: sidecarBackOff(options),
    reconcile: (key) => reconcileSize(resizer, growth, key),
  });
  const unfollow = claims.addHandler({
    add: (claim) => reconciler.queue.add(keyOf(claim)),
    update: (claim, previous) => {
      if (isNews(claim, previous)) reconciler.queue.add(keyOf(claim));
    },
    delete: (claim) => {
      growth.finalErrors.delete(keyOf(claim));
      growth.infeasible.delete(keyOf(claim));
      inUse.forget(keyOf(claim));
    },
  });
  return {
    async stop() {
      unfollow();
      await inUse.stop();
      await reconciler.stop();
    },
  };
}

/** Our own marks are none: to act upon them would be to ignore the back-off. */
const isNews = (claim: PersistentVolumeClaim, previous: PersistentVolumeClaim): boolean =>
  compareQuantities(requestedSize(claim), requestedSize(previous)) !== 0 ||
  compareQuantities(presentSize(claim), presentSize(previous)) > 0 ||
  claim.metadata?.annotations?.[storageResizer] !== previous.metadata?.annotations?.[storageResizer] ||
  claim.status?.phase !== previous.status?.phase ||
  (resizeStatus(claim) !== resizeStatus(previous) && resizeStatus(claim).startsWith('Node'));

const presentSize = ({ status }: PersistentVolumeClaim): string => status?.capacity?.['storage'] ?? '0';

async function reconcileSize(
  resizer: Resizer,
  growth: Growth,
  key: string,
): Promise<{ retryAfterMs: number } | void> {
  const claim = resizer.claims.lister.getByKey(key);
  const volumeName = claim?.spec?.volumeName ?? '';
  if (claim === undefined || volumeName === '') return;
  const volume = resizer.volumes.lister.getByKey(volumeName);
  if (volume === undefined) throw new Error(`PV "${volumeName}" bound to pvc "${key}" not found`);
  if (!isOurs(resizer, claim, volume)) return;
  await unmarkVolume(resizer, claim, volume);
  const wantsMore =
    claim.status?.phase === 'Bound' && compareQuantities(requestedSize(claim), presentSize(claim)) > 0;
  if (wantsMore && isVolumeBoundToClaim(volume, claim)) return expand(resizer, growth, { claim, volume });
}

function isOurs(
  { driver }: Resizer,
  { metadata }: PersistentVolumeClaim,
  { spec }: PersistentVolume,
): boolean {
  if (spec?.csi !== undefined) return spec.csi.driver === driver.name;
  return inTreeNameFor(driver.name) !== undefined && metadata?.annotations?.[storageResizer] === driver.name;
}

/** The node has done its part when the claim has the volume's size: what the annotation said is over. */
async function unmarkVolume(
  { context: { client } }: Resizer,
  claim: PersistentVolumeClaim,
  { metadata, spec }: PersistentVolume,
): Promise<void> {
  if (metadata?.annotations?.[preResizeCapacity] === undefined) return;
  if (compareQuantities(presentSize(claim), spec?.capacity?.['storage'] ?? '0') < 0) return;
  const patch = { metadata: { uid: metadata.uid, annotations: { [preResizeCapacity]: null } } };
  await client.resource(persistentVolumes).patch({ name: metadata.name ?? '', type: 'merge', patch });
}
