import { StatusError } from '../../api/status.ts';
import { markAsDeleting } from '../endpoints/graceful-deletion.ts';
import type { Mutation, ObjectStore } from '../storage/object-store.ts';
import { placeOf } from '../storage/object-store.ts';
import type { Finding } from './conditions.ts';

/**
 * Deletes all objects of a definition that goes away. Objects with finalizers stay until these are gone: then `onRemoved` is called
 * (upstream: controller/finalizer/crd_finalizer.go).
 */
export async function removeInstances(options: {
  objects: ObjectStore | undefined;
  /** A built-in kind has the place of these objects: they are its, and stay. */
  overlaps: boolean;
  now: Date;
  onRemoved: () => void;
}): Promise<Finding> {
  const { objects, overlaps, now, onRemoved } = options;
  if (overlaps)
    return terminating(
      'False',
      'OverlappingBuiltInResource',
      'instances overlap with built-in resources in storage',
    );
  if (objects === undefined)
    return terminating('False', 'NeverEstablished', 'resource was never established');
  await objects.feed.fresh();
  const entries = [...objects.cache.values()];
  const left = (await Promise.all(entries.map(({ object }) => remove(objects, object, now)))).filter(Boolean);
  const isEmpty = () => objects.cache.count(objects.prefix) === 0;
  const unlisten = objects.cache.listen(({ type }) => {
    if (type !== 'DELETED' || !isEmpty()) return;
    unlisten();
    onRemoved();
  });
  // The last one may have gone before anybody listened.
  if (left.length > 0 && !isEmpty())
    return terminating('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress');
  unlisten();
  return terminating('False', 'InstanceDeletionCompleted', 'removed all instances');
}

const terminating = (status: Finding['status'], reason: string, message: string): Finding => ({
  type: 'Terminating',
  status,
  reason,
  message,
});

/** True when the object is still there, marked as deleted. */
async function remove(
  objects: ObjectStore,
  object: Parameters<typeof placeOf>[0],
  now: Date,
): Promise<boolean> {
  const outcome = { left: false };
  try {
    await objects.update(placeOf(object), (current): Promise<Mutation> => {
      outcome.left = (current?.metadata.finalizers ?? []).length > 0;
      if (current === undefined || !outcome.left) return Promise.resolve({ remove: true });
      if (current.metadata.deletionTimestamp !== undefined) return Promise.resolve({ keep: true });
      markAsDeleting(current, now);
      return Promise.resolve({ write: current });
    });
  } catch (error) {
    // Another has removed it.
    if (!(error instanceof StatusError && error.status.code === 404)) throw error;
    return false;
  }
  return outcome.left;
}
