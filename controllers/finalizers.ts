import type { ApiObject } from '../client/objects.ts';

/** Whether an object is being deleted and this finalizer holds it. */
export const isDeletionCandidate = ({ metadata }: ApiObject, finalizer: string): boolean =>
  metadata?.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(finalizer);

/** Whether an object that is not being deleted should get this finalizer. */
export const lacksFinalizer = ({ metadata }: ApiObject, finalizer: string): boolean =>
  metadata?.deletionTimestamp === undefined && !(metadata?.finalizers ?? []).includes(finalizer);

/** A copy of the object with the finalizer at the end. */
export const withFinalizer = <T extends ApiObject>(object: T, finalizer: string): T => ({
  ...object,
  metadata: { ...object.metadata, finalizers: [...(object.metadata?.finalizers ?? []), finalizer] },
});

/** A copy of the object without the finalizer. */
export const withoutFinalizer = <T extends ApiObject>(object: T, finalizer: string): T => ({
  ...object,
  metadata: {
    ...object.metadata,
    finalizers: (object.metadata?.finalizers ?? []).filter((other) => other !== finalizer),
  },
});
