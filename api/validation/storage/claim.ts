import { canonicalQuantity, compareQuantities } from '../../quantity.ts';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../types.ts';
import { nameIsSubdomain } from '../checks.ts';
import { forbidden, invalid, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { checkImmutable, validateCoreObjectMeta, validateCoreObjectMetaUpdate } from '../object-meta.ts';
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
  const [annotation, oldAnnotation] = [claim, old].map(
    ({ metadata }) => metadata?.annotations?.[oldClassAnnotation],
  );
  return [
    ...validateCoreObjectMetaUpdate(claim, old),
    ...validateClaim(claim),
    ...(annotation === oldAnnotation
      ? []
      : [invalid(`metadata.annotations.${oldClassAnnotation}`, annotation ?? '', 'field is immutable')]),
    ...checkRest(claim, old),
    ...checkSize(claim, old),
    ...checkImmutable(spec.volumeMode, oldSpec.volumeMode, 'volumeMode'),
    ...checkAttributesClass(claim, old),
  ];
}

function checkRest(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const before = old.spec ?? {};
  const after = restored(claim, before);
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
function restored({ spec = {}, status }: PersistentVolumeClaim, before: PersistentVolumeClaimSpec) {
  const isNewlyClassed = before.storageClassName === undefined && spec.storageClassName !== undefined;
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
  const amounts = Object.entries(claim.status?.capacity ?? {});
  return [
    ...validateCoreObjectMetaUpdate(claim, old),
    ...((claim.spec?.accessModes ?? []).length === 0 ? [required('Spec.accessModes')] : []),
    ...amounts
      .filter(([, amount]) => compareQuantities(amount, '0') < 0)
      .map(([name, amount]) =>
        invalid(`status.capacity[${name}]`, canonicalQuantity(amount), 'must be a valid resource quantity'),
      ),
  ];
}
