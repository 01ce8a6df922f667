import { isDeepStrictEqual } from 'node:util';
import { isDns1123Subdomain } from '../../names.ts';
import { compareQuantities } from '../../quantity.ts';
import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedLocalObjectReference,
  TypedObjectReference,
} from '../../types.ts';
import { checkEnum, checkPresent, complaints, nameIsLabel, nameIsSubdomain } from '../checks.ts';
import { forbidden, invalid, notSupported, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { validateAnnotations, validateLabels } from '../object-meta.ts';
import { checkResourceQuantity } from '../resources.ts';

/** How a volume may be mounted. */
const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const volumeModes = ['Block', 'Filesystem'];

/** Checks the template of an ephemeral volume's claim: of its metadata only labels and annotations may be set. */
export function validateClaimTemplate(template: PersistentVolumeClaimTemplate, path: string): FieldError[] {
  const { labels, annotations, ...others } = template.metadata ?? {};
  return [
    ...validateAnnotations(annotations, `${path}.metadata.annotations`),
    ...validateLabels(labels, `${path}.metadata.labels`),
    ...Object.keys(others).map((field) => forbidden(`${path}.metadata.${field}`, 'cannot be set')),
    ...validateClaimSpec(template.spec ?? {}, `${path}.spec`),
  ];
}

/** Checks the spec of a PersistentVolumeClaim. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const {
    selector,
    storageClassName = '',
    volumeMode,
    dataSource,
    dataSourceRef,
    volumeAttributesClassName = '',
  } = spec;
  return [
    ...validateAccessModes(spec.accessModes, `${path}.accessModes`, 'at least 1 access mode is required'),
    ...validateLabelSelector(selector, `${path}.selector`),
    ...validateStorageRequest(spec.resources?.requests?.storage, `${path}.resources[storage]`),
    ...(storageClassName === ''
      ? []
      : complaints(`${path}.storageClassName`, storageClassName, nameIsSubdomain(storageClassName))),
    ...checkEnum(volumeMode, `${path}.volumeMode`, volumeModes),
    ...(dataSource === undefined ? [] : validateDataSource(dataSource, `${path}.dataSource`)),
    ...(dataSourceRef === undefined ? [] : validateDataSource(dataSourceRef, `${path}.dataSourceRef`)),
    ...compareSources(dataSource, dataSourceRef, path),
    ...(volumeAttributesClassName === ''
      ? []
      : complaints(
          `${path}.volumeAttributesClassName`,
          volumeAttributesClassName,
          nameIsSubdomain(volumeAttributesClassName),
        )),
  ];
}

/** Checks the access modes of a claim or volume. */
export function validateAccessModes(
  modes: string[] | undefined,
  path: string,
  whenNone: string,
): FieldError[] {
  const list = modes ?? [];
  const single = list.includes('ReadWriteOncePod');
  const mixed = single && list.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode));
  return [
    ...(list.length === 0 ? [required(path, whenNone)] : []),
    ...list
      .filter((mode) => !accessModes.includes(mode))
      .map((mode) => notSupported(path, mode, accessModes)),
    ...(mixed ? [forbidden(path, 'may not use ReadWriteOncePod with other access modes')] : []),
  ];
}

function validateStorageRequest(storage: string | undefined, path: string): FieldError[] {
  if (storage === undefined) return [required(path)];
  if (compareQuantities(storage, '0') <= 0) return [invalid(path, storage, 'must be greater than zero')];
  return checkResourceQuantity('storage', storage, path);
}

function validateDataSource(
  source: TypedLocalObjectReference | TypedObjectReference,
  path: string,
): FieldError[] {
  const { name, kind = '', apiGroup = '' } = source;
  const namespace = ('namespace' in source ? source.namespace : undefined) ?? '';
  return [
    ...checkPresent(name, `${path}.name`),
    ...checkPresent(kind, `${path}.kind`),
    ...(apiGroup === '' && kind !== 'PersistentVolumeClaim'
      ? [invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")]
      : []),
    ...(apiGroup === '' ? [] : complaints(`${path}.apiGroup`, apiGroup, isDns1123Subdomain(apiGroup))),
    ...(namespace === '' ? [] : complaints(`${path}.namespace`, namespace, nameIsLabel(namespace))),
  ];
}

function compareSources(
  source: TypedLocalObjectReference | undefined,
  reference: TypedObjectReference | undefined,
  path: string,
): FieldError[] {
  if (source === undefined || reference === undefined) return [];
  if ((reference.namespace ?? '') !== '')
    return [invalid(path, {}, 'may not be specified when dataSourceRef.namespace is specified')];
  const { namespace: _, ...local } = reference;
  return isDeepStrictEqual({ ...source }, local) ? [] : [invalid(path, {}, 'must match dataSourceRef')];
}
