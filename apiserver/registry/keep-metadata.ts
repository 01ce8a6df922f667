import type { ObjectMeta } from '../../api/types.ts';

const KEPT = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const;

/** Takes back what a write to a subresource would change of the metadata (upstream: metav1 ResetObjectMetaForStatus). */
export function keepMetadata(object: { metadata?: ObjectMeta }, old: { metadata?: ObjectMeta }): void {
  const metadata: Record<string, unknown> = { ...object.metadata };
  for (const field of KEPT) {
    const value = old.metadata?.[field];
    if (value === undefined) delete metadata[field];
    else metadata[field] = value;
  }
  object.metadata = metadata as ObjectMeta;
}
