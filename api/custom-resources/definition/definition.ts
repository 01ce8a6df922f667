import type { CustomResourceDefinition } from '../../types.ts';
import { nameIsSubdomain } from '../../validation/checks.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { invalid } from '../../validation/field-error.ts';
import {
  checkImmutable,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../../validation/object-meta.ts';
import { checkApproval } from './approval.ts';
import { checkNames } from './names.ts';
import { checkSpec } from './spec.ts';

/** Checks a new definition (upstream: apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go). */
export function validateCustomResourceDefinition(definition: CustomResourceDefinition): FieldError[] {
  const { spec } = definition;
  const asked = `${spec.names.plural}.${spec.group}`;
  const nameRule = (name: string, isPrefix?: boolean) => [
    ...nameIsSubdomain(name, isPrefix),
    ...(name === asked ? [] : ['must be spec.names.plural+"."+spec.group']),
  ];
  return [
    ...validateObjectMeta(definition, { namespaced: false, nameRule }),
    ...checkContent(definition),
    ...checkApproval(definition),
    ...checkPreserve(definition),
  ];
}

/** Checks a changed definition. */
export function validateCustomResourceDefinitionUpdate(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  const { spec } = definition;
  const isEstablished = old.status?.conditions?.some(
    ({ type, status }) => type === 'Established' && status === 'True',
  );
  const fixed = isEstablished === true;
  return [
    ...validateObjectMetaUpdate(definition, old),
    ...checkSpec(spec, 'spec'),
    ...(fixed ? checkImmutable(spec.scope, old.spec.scope, 'spec.scope') : []),
    ...(fixed ? checkImmutable(spec.names.kind, old.spec.names.kind, 'spec.names.kind') : []),
    ...checkImmutable(spec.group, old.spec.group, 'spec.group'),
    ...checkImmutable(spec.names.plural, old.spec.names.plural, 'spec.names.plural'),
    ...checkStatus(definition),
    ...checkApproval(definition, old),
    ...(old.spec.preserveUnknownFields === true ? [] : checkPreserve(definition)),
  ];
}

/** Checks a write to the status. */
export const validateCustomResourceDefinitionStatusUpdate = (
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] => [
  ...validateObjectMetaUpdate(definition, old),
  ...checkNames(definition.status?.acceptedNames ?? {}, 'status.acceptedNames'),
];

const checkContent = (definition: CustomResourceDefinition): FieldError[] => [
  ...checkSpec(definition.spec, 'spec'),
  ...checkStatus(definition),
];

const checkStatus = (definition: CustomResourceDefinition): FieldError[] => [
  ...checkNames(definition.status?.acceptedNames ?? {}, 'status.acceptedNames'),
  ...checkStoredVersions(definition),
];

/** Objects may be stored in each of these versions: none of them may go from the spec. */
function checkStoredVersions({ spec, status }: CustomResourceDefinition): FieldError[] {
  const stored = status?.storedVersions ?? [];
  const field = 'status.storedVersions';
  if (stored.length === 0) return [invalid(field, null, 'must have at least one stored version')];
  const versions = (spec as Partial<typeof spec> | undefined)?.versions ?? [];
  const missing = versions.filter(({ name, storage }) => storage && !stored.includes(name));
  const gone = (name: string) =>
    `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
  return [
    ...missing.map(({ name }) => invalid(field, stored, `must have the storage version ${name}`)),
    ...stored.flatMap((name, index) =>
      versions.some((version) => version.name === name)
        ? []
        : [invalid(`${field}[${index}]`, name, gone(name))],
    ),
  ];
}

function checkPreserve({ spec }: CustomResourceDefinition): FieldError[] {
  if (spec.preserveUnknownFields !== true) return [];
  const why =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return [invalid('spec.preserveUnknownFields', true, why)];
}
