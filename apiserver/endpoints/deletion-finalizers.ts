import type { DeleteOptions } from '../../api/types.ts';
import type { ApiObject } from '../registry/kind.ts';

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

/**
 * The finalizers of an object once its deletion has begun: propagation by Orphan or Foreground is a finalizer that the
 * garbage collector takes away (upstream: registry/generic deletionFinalizersForGarbageCollection).
 */
export function deletionFinalizers({ metadata }: ApiObject, options: DeleteOptions): string[] {
  const present = metadata.finalizers ?? [];
  const others = present.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  const wanted = propagationFinalizer(present, options);
  return wanted === undefined ? others : [...others, wanted];
}

function propagationFinalizer(present: string[], options: DeleteOptions): string | undefined {
  const policy = options.propagationPolicy;
  if (policy === 'Orphan' || options.orphanDependents === true) return ORPHAN;
  if (policy === 'Foreground') return FOREGROUND;
  if (policy === 'Background' || options.orphanDependents === false) return undefined;
  return present.find((finalizer) => finalizer === ORPHAN || finalizer === FOREGROUND);
}
