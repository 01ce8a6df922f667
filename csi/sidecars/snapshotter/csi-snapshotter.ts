import { createReconciler } from '../../../client/controller.ts';
import type { ControllerContext, ControllerFactory } from '../../../client/controller.ts';
import type { Informer } from '../../../client/informer.ts';
import { keyOf } from '../../../client/objects.ts';
import type { ApiObject } from '../../../client/objects.ts';
import { annotationOf, annotations } from '../../snapshots/names.ts';
import { volumeGroupSnapshotClasses, volumeGroupSnapshotContents } from '../../snapshots/resources.ts';
import { volumeSnapshotClasses, volumeSnapshotContents } from '../../snapshots/resources.ts';
import { sidecarBackOff } from '../back-off.ts';
import type { RetryOptions } from '../back-off.ts';
import type { SidecarDriver } from '../driver.ts';
import { deservesSync } from './deserves-sync.ts';
import { syncGroupContent } from './groups/sync-group-content.ts';
import { createPolls } from './polls.ts';
import type { Progress, Snapshotter } from './snapshotter.ts';
import { syncContent } from './sync-content.ts';

export interface CsiSnapshotterOptions extends RetryOptions {
  driver: SidecarDriver;
  /** Tell the driver the names of VolumeSnapshot and content in parameters; off by default, as upstream. */
  extraCreateMetadata?: boolean;
  /** Of one call of the driver, a minute by default. */
  timeoutMs?: number;
}

/** As many as external-snapshotter's --worker-threads. */
const concurrency = 10;

/**
 * A driver's half of snapshots (external-snapshotter's csi-snapshotter): calls the driver for each VolumeSnapshotContent and
 * VolumeGroupSnapshotContent of its name, and writes what it answers into their status.
 */
export const csiSnapshotter =
  ({
    driver,
    extraCreateMetadata = false,
    timeoutMs = 60_000,
    ...retry
  }: CsiSnapshotterOptions): ControllerFactory =>
  (context) => {
    const { informers, client, clock } = context;
    const contents = informers.informer(volumeSnapshotContents);
    const groupContents = informers.informer(volumeGroupSnapshotContents);
    const world: Snapshotter = {
      client,
      clock,
      driver,
      extraCreateMetadata,
      timeoutMs,
      recorder: context.recorder(`csi-snapshotter ${driver.name}`),
      contents: contents.lister,
      groupContents: groupContents.lister,
      classes: informers.informer(volumeSnapshotClasses).lister,
      groupClasses: informers.informer(volumeGroupSnapshotClasses).lister,
    };
    const shared = { context, retry };
    const single = followContents(contents, {
      ...shared,
      name: `csi-snapshotter ${driver.name}`,
      sync: (key) => syncContent(world, key),
    });
    const groups = followContents(groupContents, {
      ...shared,
      name: `csi-snapshotter ${driver.name} groups`,
      sync: (key) => syncGroupContent(world, key),
    });
    return {
      async stop() {
        await Promise.all([single.stop(), groups.stop()]);
      },
    };
  };

const followContents = <T extends ApiObject>(
  informer: Informer<T>,
  {
    name,
    context,
    retry,
    sync,
  }: {
    name: string;
    context: ControllerContext;
    retry: RetryOptions;
    sync: (key: string) => Promise<Progress>;
  },
) => {
  const polls = createPolls(context);
  const reconciler = createReconciler({
    name,
    context,
    concurrency,
    rateLimiter: sidecarBackOff(retry),
    async reconcile(key) {
      const progress = await sync(key);
      if (progress === 'pending') return { retryAfterMs: polls.nextMs(key) };
      polls.forget(key);
      return {};
    },
  });
  const add = (object: T) => reconciler.queue.add(keyOf(object));
  const unfollow = informer.addHandler({
    add,
    update(object, previous) {
      if (deservesSync(object, previous) || learnsOfGroup(object, previous)) add(object);
    },
    delete: (object) => polls.forget(keyOf(object)),
  });
  return {
    stop() {
      unfollow();
      return reconciler.stop();
    },
  };
};

/** A member's status comes from its group, not from us. */
const learnsOfGroup = (object: ApiObject & { status?: unknown }, previous: typeof object): boolean =>
  annotationOf(object, annotations.groupHandle) !== undefined &&
  object.status !== undefined &&
  previous.status === undefined;
