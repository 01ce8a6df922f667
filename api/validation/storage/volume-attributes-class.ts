import { isDeepStrictEqual } from 'node:util';
import type { VolumeAttributesClass } from '../../types.ts';
import { nameIsSubdomain } from '../checks.ts';
import { forbidden, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateCoreObjectMeta, validateCoreObjectMetaUpdate } from '../object-meta.ts';
import { checkProvisioner, validateParameters } from './storage-class.ts';

/** Source: Kubernetes pkg/apis/storage/validation/validation.go. */
export function validateVolumeAttributesClass(object: VolumeAttributesClass): FieldError[] {
  const { parameters = {} } = object;
  return [
    ...validateCoreObjectMeta(object, { namespaced: false, nameRule: nameIsSubdomain }),
    ...checkProvisioner(object.driverName ?? '', 'driverName'),
    ...validateParameters(parameters),
    ...(Object.keys(parameters).length === 0
      ? [required('parameters', 'must contain at least one key/value pair')]
      : []),
  ];
}

export function validateVolumeAttributesClassUpdate(
  object: VolumeAttributesClass,
  old: VolumeAttributesClass,
): FieldError[] {
  return [
    ...validateCoreObjectMetaUpdate(object, old),
    ...(object.driverName === old.driverName
      ? []
      : [forbidden('driverName', 'updates to driverName are forbidden.')]),
    ...(isDeepStrictEqual({ ...object.parameters }, { ...old.parameters })
      ? []
      : [forbidden('parameters', 'updates to parameters are forbidden.')]),
    ...validateVolumeAttributesClass(object),
  ];
}
