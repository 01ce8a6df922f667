import type { ObjectMeta } from '../../api/types.ts';

type Field = 'labels' | 'annotations' | 'finalizers' | 'ownerReferences';

const ALL: readonly Field[] = ['labels', 'annotations', 'finalizers', 'ownerReferences'];

/** Takes back what a write to a subresource would change of these fields; all of them: upstream's metav1 ResetObjectMetaForStatus. */
export function keepMetadata(
  object: { metadata?: ObjectMeta },
  old: { metadata?: ObjectMeta },
  fields = ALL,
): void {
  const metadata: Record<string, unknown> = { ...object.metadata };
  for (const field of fields) {
    const value = old.metadata?.[field];
    if (value === undefined) delete metadata[field];
    else metadata[field] = value;
  }
  object.metadata = metadata as ObjectMeta;
}
