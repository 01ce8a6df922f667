import { isQualifiedName } from '../../names.ts';
import { compareQuantities, quantityValue } from '../../quantity.ts';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../types.ts';
import { complaints, nameIsSubdomain } from '../checks.ts';
import { forbidden, invalid, notSupported, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { checkImmutable, validateCoreObjectMeta, validateCoreObjectMetaUpdate } from '../object-meta.ts';
import { checkResourceQuantity } from '../resources.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { jsonDiff } from '../unified-diff.ts';
import { validateClaimSpec } from './claim-spec.ts';

export function validateClaim(claim: PersistentVolumeClaim): FieldError[] {
  return [
    ...validateCoreObjectMeta(claim, { namespaced: true, nameRule: nameIsSubdomain }),
    ...validateClaimSpec(claim.spec ?? {}, 'spec'),
  ];
}

const oldClassAnnotation = 'volume.beta.kubernetes.io/storage-class';

/** Checks a changed claim: it is bound once, and then may grow. */
export function validateClaimUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const [spec, oldSpec] = [claim.spec ?? {}, old.spec ?? {}];
  return [
    ...validateCoreObjectMetaUpdate(claim, old),
    ...validateClaim(claim),
    ...(movesClassToField(claim, old) ? [] : checkOldAnnotation(claim, old)),
    ...checkRest(claim, old),
    ...checkSize(claim, old),
    ...checkImmutable(spec.volumeMode, oldSpec.volumeMode, 'volumeMode'),
    ...checkAttributesClass(claim, old),
  ];
}

const annotatedClass = ({ metadata }: PersistentVolumeClaim) => metadata?.annotations?.[oldClassAnnotation];

/** The class of the annotation may be written into the field that came after it. */
function movesClassToField(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const [annotation, before] = [annotatedClass(claim), annotatedClass(old)];
  if (before === undefined || old.spec?.storageClassName !== undefined) return false;
  return claim.spec?.storageClassName === before && (annotation === undefined || annotation === before);
}

function checkOldAnnotation(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  if (annotatedClass(claim) === annotatedClass(old)) return [];
  return [
    invalid(`metadata.annotations.${oldClassAnnotation}`, annotatedClass(claim) ?? '', 'field is immutable'),
  ];
}

function checkRest(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const before = old.spec ?? {};
  const after = restored(claim, old);
  const expected = {
    ...before,
    ...((before.volumeName ?? '') === '' && after.volumeName && { volumeName: after.volumeName }),
  };
  if (semanticEqual(after, expected)) return [];
  const words =
    'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
  return [forbidden('spec', `${words}\n${jsonDiff(expected, after)}`)];
}

/** The new spec with all that may change as it was: of a bound claim its size and class of attributes. */
function restored({ spec = {}, status }: PersistentVolumeClaim, old: PersistentVolumeClaim) {
  const before = old.spec ?? {};
  const wanted = annotatedClass(old) ?? spec.storageClassName;
  const isNewlyClassed = before.storageClassName === undefined && spec.storageClassName === wanted;
  const { storageClassName, volumeAttributesClassName, ...rest } = spec;
  const after: PersistentVolumeClaimSpec = {
    ...rest,
    ...(!isNewlyClassed && storageClassName !== undefined && { storageClassName }),
  };
  if (status?.phase !== 'Bound')
    return { ...after, ...(volumeAttributesClassName !== undefined && { volumeAttributesClassName }) };
  const storage = before.resources?.requests?.['storage'];
  const requests = { ...after.resources?.requests, ...(storage !== undefined && { storage }) };
  return {
    ...after,
    resources: { ...after.resources, requests },
    ...(before.volumeAttributesClassName !== undefined && {
      volumeAttributesClassName: before.volumeAttributesClassName,
    }),
  };
}

/** A request may fall back to what the volume has, after an expansion that failed. */
function checkSize(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const sizeOf = ({ spec }: PersistentVolumeClaim) => spec?.resources?.requests?.['storage'] ?? '0';
  const capacity = old.status?.capacity?.['storage'] ?? '0';
  if (compareQuantities(sizeOf(claim), sizeOf(old)) >= 0 || compareQuantities(sizeOf(claim), capacity) > 0)
    return [];
  return [forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity')];
}

function checkAttributesClass(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  if (old.status?.currentVolumeAttributesClassName === undefined) return [];
  const name = claim.spec?.volumeAttributesClassName;
  if (name === old.spec?.volumeAttributesClassName || (name !== undefined && name !== '')) return [];
  const what = name === undefined ? 'nil' : 'empty string';
  return [
    forbidden(
      'spec.volumeAttributesClassName',
      `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`,
    ),
  ];
}

/** Checks a write to persistentvolumeclaims/status. */
export function validateClaimStatusUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): FieldError[] {
  const { capacity = {}, allocatedResources = {}, allocatedResourceStatuses = {} } = claim.status ?? {};
  return [
    ...validateCoreObjectMetaUpdate(claim, old),
    ...((claim.spec?.accessModes ?? []).length === 0 ? [required('Spec.accessModes')] : []),
    ...Object.entries(capacity).flatMap(([name, amount]) => checkAmount(amount, `status.capacity[${name}]`)),
    ...Object.entries(allocatedResourceStatuses).flatMap(([name, state]) => checkResizeStatus(name, state)),
    ...Object.entries(allocatedResources).flatMap(([name, amount]) => checkAllocated(name, amount)),
  ];
}

function checkAmount(amount: string, field: string): FieldError[] {
  if (compareQuantities(amount, '0') >= 0) return [];
  return [invalid(field, quantityValue(amount), 'must be a valid resource quantity')];
}

const resizeStatuses = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].toSorted();

function checkResizeStatus(name: string, state: string): FieldError[] {
  const field = 'status.allocatedResourceStatuses';
  return [
    ...checkResourceKey(name, field),
    ...(resizeStatuses.includes(state) ? [] : [notSupported(field, name, resizeStatuses)]),
  ];
}

function checkAllocated(name: string, amount: string): FieldError[] {
  const wrongName = checkResourceKey(name, 'status.allocatedResources');
  if (wrongName.length > 0) return wrongName;
  const field = `status.allocatedResources[${name}]`;
  const wrong = checkAmount(amount, field);
  return wrong.length > 0 ? wrong : checkResourceQuantity('storage', amount, field);
}

/** Of the resources without a vendor's prefix a claim only has storage. */
function checkResourceKey(name: string, field: string): FieldError[] {
  const wrong = complaints(field, name, isQualifiedName(name));
  if (wrong.length > 0) return wrong;
  const isNative = !name.includes('/') || name.includes('kubernetes.io/');
  return isNative && name !== 'storage' ? [notSupported(field, name, ['storage'])] : [];
}
