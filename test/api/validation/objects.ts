import test from 'ava';
import { applyDefaults } from '../../../api/defaults/defaults.ts';
import type { KubernetesObject } from '../../../api/types.ts';
import { fieldErrorText } from '../../../api/validation/field-error.ts';
import { validateObject, validateObjectUpdate } from '../../../api/validation/validation.ts';

export interface ObjectRefusal {
  title: string;
  object: KubernetesObject & Record<string, unknown>;
  /** What it was before; without it, the object is new. */
  old?: KubernetesObject & Record<string, unknown>;
  errors: string[];
}

const clusterKinds = new Set([
  'ClusterRole',
  'ClusterRoleBinding',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PriorityClass',
  'StorageClass',
]);

function defaulted<T extends KubernetesObject>(object: T): T {
  const copy = structuredClone(object);
  applyDefaults(copy);
  return copy;
}

/** A test that an object gets exactly these errors in this order. */
export function refusesObject({ title, object, old, errors }: ObjectRefusal): void {
  test(title, (t) => {
    const namespaced = !clusterKinds.has(object.kind ?? '');
    const found =
      old === undefined
        ? validateObject(defaulted(object), { namespaced })
        : validateObjectUpdate(defaulted(object), defaulted(old));
    t.deepEqual(found.map(fieldErrorText), errors);
  });
}
