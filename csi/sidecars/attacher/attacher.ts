import { migratedTo } from '../../../api/storage/annotations.ts';
import type { PersistentVolume, VolumeAttachment } from '../../../api/types.ts';
import { createReconciler } from '../../../client/controller.ts';
import type { Controller, ControllerContext, Reconciler } from '../../../client/controller.ts';
import { csiNodes, persistentVolumes, volumeAttachments } from '../../../client/resources.ts';
import { inTreePluginOfPv } from '../../translation/index.ts';
import { sidecarBackOff } from '../back-off.ts';
import type { SidecarDriver } from '../driver.ts';
import { hasFinalizer, removeFinalizer } from '../finalizers.ts';
import { attach, markAttached } from './attach.ts';
import { detach } from './detach.ts';
import { attacherFinalizer } from './settings.ts';
import type { Attacher, AttacherOptions } from './settings.ts';

export type { AttacherOptions } from './settings.ts';

const byVolume = 'persistentVolumeName';

/**
 * Carries out the VolumeAttachments of a driver: what kubernetes-csi/external-attacher does.
 *
 *     made ──finalizer──ControllerPublish──▶ attached ──deleted──ControllerUnpublish──finalizer away──▶ gone
 *
 * Whatever happens on the way, an attachment with the finalizer is detached before it goes. Drivers without
 * PUBLISH_UNPUBLISH_VOLUME have nothing to attach: their attachments are attached at once.
 */
export const createAttacher =
  (driver: SidecarDriver, options: AttacherOptions = {}) =>
  (context: ControllerContext): Controller => {
    const stopping = new AbortController();
    const { informers } = context;
    const attacher: Attacher = {
      driver,
      context,
      defaultFsType: options.defaultFsType ?? 'ext4',
      finalizer: attacherFinalizer(driver.name),
      attachments: informers.informer(volumeAttachments, {
        indexers: { [byVolume]: ({ spec }) => [spec.source.persistentVolumeName ?? []].flat() },
      }),
      volumes: informers.informer(persistentVolumes),
      csiNodes: informers.informer(csiNodes),
      signal: stopping.signal,
    };
    const attachments = reconcileAttachments(attacher, options);
    const volumes = reconcileVolumes(attacher, options);
    return {
      async stop() {
        stopping.abort(new Error('the attacher is stopped'));
        await Promise.all([attachments.stop(), volumes.stop()]);
      },
    };
  };

function reconcileAttachments(attacher: Attacher, options: AttacherOptions): Controller {
  const { driver, context, attachments, volumes, csiNodes: csiNodeInformer } = attacher;
  const reconciler = createReconciler({
    name: `csi-attacher ${driver.name}`,
    context,
    concurrency: options.workerThreads ?? 10,
    rateLimiter: sidecarBackOff(options),
    reconcile: (name) => reconcileAttachment(attacher, name),
  });
  const add = ({ metadata }: VolumeAttachment) => reconciler.queue.add(metadata?.name ?? '');
  const unfollow = attachments.addHandler({
    add,
    update: (attachment, previous) => {
      if (isNews(attachment, previous)) add(attachment);
    },
  });
  // An attachment that failed for want of its volume or node needn't wait for its back-off.
  const failed = () => attachments.lister.list().filter((each) => each.status?.attachError !== undefined);
  reconciler.follow(volumes, ({ metadata, status }) =>
    status?.phase === 'Bound' || status?.phase === 'Available'
      ? failed().flatMap((each) =>
          each.spec.source.persistentVolumeName === metadata?.name && each.status?.attached !== true
            ? (each.metadata?.name ?? [])
            : [],
        )
      : [],
  );
  reconciler.follow(csiNodeInformer, ({ metadata }) =>
    failed().flatMap((each) =>
      each.spec.nodeName === metadata?.name && each.status?.attached !== true
        ? (each.metadata?.name ?? [])
        : [],
    ),
  );
  return {
    async stop() {
      unfollow();
      await reconciler.stop();
    },
  };
}

/** Our own marks are none: to act upon them would be to ignore the back-off, and to attach twice. */
const isNews = (attachment: VolumeAttachment, previous: VolumeAttachment): boolean =>
  attachment.metadata?.deletionTimestamp !== previous.metadata?.deletionTimestamp ||
  (attachment.status?.attached ?? false) !== (previous.status?.attached ?? false) ||
  (attachment.metadata?.finalizers ?? []).length < (previous.metadata?.finalizers ?? []).length;

async function reconcileAttachment(attacher: Attacher, name: string): Promise<void> {
  const { driver, attachments, finalizer } = attacher;
  const attachment = attachments.lister.getByKey(name);
  if (attachment === undefined || attachment.spec.attacher !== driver.name) return;
  const isAttached = attachment.status?.attached ?? false;
  if (attachment.metadata?.deletionTimestamp !== undefined) {
    if (hasFinalizer(attachment, finalizer)) await detach(attacher, attachment);
    return;
  }
  if (isAttached) return;
  const { controller } = await driver.capabilities();
  if (controller.has('PUBLISH_UNPUBLISH_VOLUME')) await attach(attacher, attachment);
  else await markAttached(attacher, attachment, {});
}

/** Takes our finalizer from volumes that are being deleted and have no attachment any more. */
function reconcileVolumes(attacher: Attacher, options: AttacherOptions): Reconciler {
  const { driver, context, attachments, volumes, finalizer } = attacher;
  const reconciler = createReconciler({
    name: `csi-attacher ${driver.name} volumes`,
    context,
    concurrency: options.workerThreads ?? 10,
    rateLimiter: sidecarBackOff(options),
    async reconcile(name) {
      const object = volumes.lister.getByKey(name);
      if (object === undefined || !mayLetGo(attacher, object)) return;
      if (attachments.lister.byIndex(byVolume, name).length > 0) return;
      await removeFinalizer({ client: context.client, resource: persistentVolumes, object, finalizer });
    },
  });
  reconciler.follow(volumes);
  reconciler.follow(attachments, ({ spec }) => [spec.source.persistentVolumeName ?? []].flat());
  return reconciler;
}

function mayLetGo({ driver, finalizer }: Attacher, volume: PersistentVolume): boolean {
  if (!hasFinalizer(volume, finalizer)) return false;
  if (volume.metadata?.deletionTimestamp !== undefined) return true;
  // An in-tree volume that is no longer migrated is not ours any more.
  const { [migratedTo]: migrated } = volume.metadata?.annotations ?? {};
  return inTreePluginOfPv(volume) !== undefined && migrated !== driver.name;
}
