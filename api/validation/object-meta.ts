import { isDeepStrictEqual } from 'node:util';
import { byteLength, isLabelValue, isQualifiedName } from '../names.ts';
import { parseApiVersion } from '../meta.ts';
import type { KubernetesObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../types.ts';
import { checkNotNegative, complaints, nameIsLabel, nameIsPathSegment } from './checks.ts';
import type { NameRule } from './checks.ts';
import { forbidden, invalid, required, tooLong } from './field-error.ts';
import type { FieldError } from './field-error.ts';

const annotationsLimitBytes = 256 * 1024;

/** Checks the metadata of a new object. Source: apimachinery pkg/api/validation/objectmeta.go. */
export function validateObjectMeta(
  { metadata = {} }: KubernetesObject,
  { namespaced, nameRule, path = 'metadata' }: { namespaced: boolean; nameRule: NameRule; path?: string },
): FieldError[] {
  const { name = '', generateName = '', namespace = '' } = metadata;
  return [
    ...(generateName === ''
      ? []
      : complaints(`${path}.generateName`, generateName, nameRule(generateName, true))),
    ...(name === ''
      ? [required(`${path}.name`, 'name or generateName is required')]
      : complaints(`${path}.name`, name, nameRule(name))),
    ...(namespaced ? checkNamespace(namespace, path) : checkNoNamespace(namespace, path)),
    ...checkNotNegative(metadata.generation, `${path}.generation`),
    ...validateLabels(metadata.labels, `${path}.labels`),
    ...validateAnnotations(metadata.annotations, `${path}.annotations`),
    ...validateOwnerReferences(metadata.ownerReferences, `${path}.ownerReferences`),
    ...validateFinalizers(metadata.finalizers, `${path}.finalizers`),
    ...validateManagedFields(metadata.managedFields, `${path}.managedFields`),
  ];
}

/**
 * What the metadata of every object must be, whatever its kind's own check is content with: without it, an object could be stored at a
 * path that names no object, or another. Source: apiserver pkg/registry/rest BeforeCreate.
 */
export function validateCommonMeta(
  object: KubernetesObject,
  { namespaced }: { namespaced: boolean },
): FieldError[] {
  return validateObjectMeta(object, { namespaced, nameRule: nameIsPathSegment });
}

/** As `validateCommonMeta`, for a changed object. Source: apiserver pkg/registry/rest BeforeUpdate. */
export function validateCommonMetaUpdate(
  object: KubernetesObject,
  old: KubernetesObject,
  options: { namespaced: boolean },
): FieldError[] {
  return [...validateCommonMeta(object, options), ...validateObjectMetaUpdate(object, old)];
}

/** As `validateObjectMeta`, for kinds of the core group: a finalizer without a domain must be a standard one. */
export function validateCoreObjectMeta(
  object: KubernetesObject,
  options: { namespaced: boolean; nameRule: NameRule },
): FieldError[] {
  return [...validateObjectMeta(object, options), ...checkStandardFinalizers(object)];
}

/** As `validateObjectMetaUpdate`, for kinds of the core group. */
export function validateCoreObjectMetaUpdate(object: KubernetesObject, old: KubernetesObject): FieldError[] {
  return [...validateObjectMetaUpdate(object, old), ...checkStandardFinalizers(object)];
}

function checkStandardFinalizers({ metadata }: KubernetesObject): FieldError[] {
  return (metadata?.finalizers ?? []).flatMap((name, index) =>
    checkStandardFinalizer(name, `metadata.finalizers[${index}]`),
  );
}

/** A finalizer is `example.com/name`, or one of those that Kubernetes itself has. */
export function checkStandardFinalizer(name: string, field: string): FieldError[] {
  if (name.includes('/') || ['kubernetes', 'orphan', 'foregroundDeletion'].includes(name)) return [];
  return [invalid(field, name, 'name is neither a standard finalizer name nor is it fully qualified')];
}

/** Checks the metadata of a changed object against the old. */
export function validateObjectMetaUpdate(
  { metadata = {} }: KubernetesObject,
  { metadata: old = {} }: KubernetesObject,
  path = 'metadata',
): FieldError[] {
  return [
    ...checkNoNewFinalizers(metadata, old, `${path}.finalizers`),
    ...((metadata.resourceVersion ?? '') === ''
      ? [invalid(`${path}.resourceVersion`, '', 'must be specified for an update')]
      : []),
    ...((metadata.generation ?? 0) < (old.generation ?? 0)
      ? [invalid(`${path}.generation`, metadata.generation ?? 0, 'must not be decremented')]
      : []),
    ...immutableMetaFields.flatMap((field) =>
      checkImmutable(metadata[field], old[field], `${path}.${field}`),
    ),
    ...validateLabels(metadata.labels, `${path}.labels`),
    ...validateAnnotations(metadata.annotations, `${path}.annotations`),
    ...validateOwnerReferences(metadata.ownerReferences, `${path}.ownerReferences`),
    ...validateManagedFields(metadata.managedFields, `${path}.managedFields`),
  ];
}

const immutableMetaFields = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/** A value that an update must leave as it is. */
export function checkImmutable(value: unknown, old: unknown, field: string): FieldError[] {
  if (isDeepStrictEqual(value, old)) return [];
  return [invalid(field, value ?? (typeof old === 'string' ? '' : null), 'field is immutable')];
}

function checkNamespace(namespace: string, path: string): FieldError[] {
  if (namespace === '') return [required(`${path}.namespace`)];
  return complaints(`${path}.namespace`, namespace, nameIsLabel(namespace));
}

function checkNoNamespace(namespace: string, path: string): FieldError[] {
  return namespace === '' ? [] : [forbidden(`${path}.namespace`, 'not allowed on this type')];
}

export function validateLabels(labels: Record<string, string> | undefined, path: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...complaints(path, key, isQualifiedName(key)),
    ...complaints(path, value, isLabelValue(value)),
  ]);
}

export function validateAnnotations(
  annotations: Record<string, string> | undefined,
  path: string,
): FieldError[] {
  const entries = Object.entries(annotations ?? {});
  const sizeBytes = entries.reduce((total, [key, value]) => total + byteLength(key) + byteLength(value), 0);
  return [
    ...entries.flatMap(([key]) => complaints(path, key, isQualifiedName(key.toLowerCase()))),
    ...(sizeBytes > annotationsLimitBytes ? [tooLong(path, annotationsLimitBytes)] : []),
  ];
}

function validateOwnerReferences(references: OwnerReference[] | undefined, path: string): FieldError[] {
  const controllers = (references ?? []).filter(({ controller }) => controller === true);
  const [first, ...others] = controllers;
  return [
    ...(references ?? []).flatMap((reference) => validateOwnerReference(reference, path)),
    ...others.map((other) =>
      invalid(
        path,
        references,
        `Only one reference can have Controller set to true. Found "true" in references for ${first?.kind}/${first?.name} and ${other.kind}/${other.name}`,
      ),
    ),
  ];
}

function validateOwnerReference(reference: OwnerReference, path: string): FieldError[] {
  const { apiVersion = '', kind = '' } = reference;
  const { group, version } = parseApiVersion(apiVersion);
  const empty = (field: 'kind' | 'name' | 'uid') =>
    (reference[field] ?? '') === '' ? [invalid(`${path}.${field}`, '', 'must not be empty')] : [];
  const isEvent = group === '' && version === 'v1' && kind === 'Event';
  return [
    ...(version === '' ? [invalid(`${path}.apiVersion`, apiVersion, 'version must not be empty')] : []),
    ...empty('kind'),
    ...empty('name'),
    ...empty('uid'),
    ...(isEvent ? [invalid(path, reference, '/v1, Kind=Event is disallowed from being an owner')] : []),
  ];
}

function validateFinalizers(finalizers: string[] | undefined, path: string): FieldError[] {
  const list = finalizers ?? [];
  const both = list.includes('orphan') && list.includes('foregroundDeletion');
  return [
    ...list.flatMap((finalizer) => complaints(path, finalizer, isQualifiedName(finalizer))),
    ...(both ? [invalid(path, list, 'finalizer orphan and foregroundDeletion cannot be both set')] : []),
  ];
}

function checkNoNewFinalizers(metadata: ObjectMeta, old: ObjectMeta, path: string): FieldError[] {
  if (old.deletionTimestamp === undefined) return [];
  const added = (metadata.finalizers ?? [])
    .filter((finalizer) => !old.finalizers?.includes(finalizer))
    .toSorted();
  if (added.length === 0) return [];
  const shown = `[]string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
  return [
    forbidden(
      path,
      `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`,
    ),
  ];
}

function validateManagedFields(entries: ManagedFieldsEntry[] | undefined, path: string): FieldError[] {
  return (entries ?? []).flatMap(({ operation = '', fieldsType = '', manager = '' }, index) => [
    ...(['Apply', 'Update'].includes(operation)
      ? []
      : [invalid(`${path}[${index}].operation`, operation, 'must be `Apply` or `Update`')]),
    ...(['', 'FieldsV1'].includes(fieldsType)
      ? []
      : [invalid(`${path}[${index}].fieldsType`, fieldsType, 'must be `FieldsV1`')]),
    ...(byteLength(manager) > 128 ? [tooLong(`${path}[${index}].manager`, 128)] : []),
  ]);
}
