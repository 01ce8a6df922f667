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
  /** To which part of it the change was written, such as `status`. */
  subresource?: string;
  errors: string[];
}

const clusterKinds = new Set([
  'CSIDriver',
  'CSINode',
  'ClusterRole',
  'ClusterRoleBinding',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PriorityClass',
  'StorageClass',
  'VolumeAttachment',
  'VolumeAttributesClass',
]);

function defaulted<T extends KubernetesObject>(object: T): T {
  const copy = structuredClone(object);
  applyDefaults(copy);
  return copy;
}

/** A test that an object gets exactly these errors in this order. */
export function refusesObject({ title, object, old, subresource, errors }: ObjectRefusal): void {
  test(title, (t) => {
    const namespaced = !clusterKinds.has(object.kind ?? '');
    const found =
      old === undefined
        ? validateObject(defaulted(object), { namespaced })
        : validateObjectUpdate(defaulted(object), defaulted(old), subresource);
    t.deepEqual(found.map(fieldErrorText), errors);
  });
}
