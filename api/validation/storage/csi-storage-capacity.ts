import type { CSIStorageCapacity } from '../../types.ts';
import { checkQuantityNotNegative, complaints, nameIsSubdomain } from '../checks.ts';
import { invalid } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { validateCoreObjectMeta, validateCoreObjectMetaUpdate } from '../object-meta.ts';
import { semanticEqual } from '../semantic-equal.ts';

/** Source: Kubernetes pkg/apis/storage/validation/validation.go. */
export function validateCsiStorageCapacity(object: CSIStorageCapacity): FieldError[] {
  const { storageClassName = '', capacity } = object;
  return [
    ...validateCoreObjectMeta(object, { namespaced: true, nameRule: nameIsSubdomain }),
    ...validateLabelSelector(object.nodeTopology, 'nodeTopology'),
    ...complaints('storageClassName', storageClassName, nameIsSubdomain(storageClassName)),
    ...(capacity === undefined ? [] : checkQuantityNotNegative(capacity, 'capacity')),
  ];
}

/** What the driver was asked stays; what it answered changes. */
export function validateCsiStorageCapacityUpdate(
  object: CSIStorageCapacity,
  old: CSIStorageCapacity,
): FieldError[] {
  return [
    ...validateCsiStorageCapacity(object),
    ...validateCoreObjectMetaUpdate(object, old),
    ...(semanticEqual(object.nodeTopology, old.nodeTopology)
      ? []
      : [invalid('nodeTopology', object.nodeTopology ?? null, 'field is immutable')]),
    ...(object.storageClassName === old.storageClassName
      ? []
      : [invalid('storageClassName', object.storageClassName, 'field is immutable')]),
  ];
}
