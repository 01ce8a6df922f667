import { isDeepStrictEqual } from 'node:util';
import { isDns1035Label, isDns1123Subdomain } from '../../names.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../types.ts';
import { checkRequiredEnum } from '../../validation/checks.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { invalid, required } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { checkConversion } from './conversion.ts';
import { checkNames, checkRequiredNames } from './names.ts';
import { checkSchema } from './schema-errors.ts';
import { checkColumn, checkDeprecation, checkSelectableFields, checkSubresources } from './versions.ts';

type Spec = CustomResourceDefinition['spec'];
type Version = CustomResourceDefinitionVersion;

/** Checks the spec of a definition (upstream: validation.go validateCustomResourceDefinitionSpec). */
export function checkSpec(spec: Spec, path: string): FieldError[] {
  const { names, versions } = withDefaultsOf(spec);
  return [
    ...checkGroup(spec.group, `${path}.group`),
    ...checkRequiredEnum(spec.scope, `${path}.scope`, ['Cluster', 'Namespaced']),
    ...checkSchemasPresent(versions, path),
    ...versions.flatMap((version, index) => checkVersion(version, versions, `${path}.versions[${index}]`)),
    ...checkVersionList(versions, `${path}.versions`),
    ...checkRequiredNames(names, `${path}.names`),
    ...checkNames(names, `${path}.names`),
    ...checkShared(versions, path),
    ...checkConversion(spec.conversion, `${path}.conversion`),
  ];
}

/** What a client may have left out although it is required. */
const withDefaultsOf = ({ names, versions }: Partial<Spec>) => ({
  names: (names ?? {}) as Partial<Spec['names']>,
  versions: versions ?? [],
});

function checkGroup(group: string | undefined, field: string): FieldError[] {
  if (group === undefined || group === '') return [required(field)];
  const wrong = isDns1123Subdomain(group);
  if (wrong.length > 0) return [invalid(field, group, wrong.join(','))];
  return group.includes('.') ? [] : [invalid(field, group, 'should be a domain with at least one dot')];
}

const checkSchemasPresent = (versions: Version[], path: string): FieldError[] =>
  versions.flatMap(({ schema }, index) =>
    schema?.openAPIV3Schema === undefined
      ? [required(`${path}.versions[${index}].schema.openAPIV3Schema`)]
      : [],
  );

/**
 * What all versions have alike upstream keeps, and tells errors of, beside the versions
 * (upstream: v1/conversion.go Convert_v1_CustomResourceDefinitionSpec_To_apiextensions_CustomResourceDefinitionSpec).
 */
const isShared = (
  versions: Version[],
  field: 'schema' | 'subresources' | 'additionalPrinterColumns' | 'selectableFields',
): boolean => versions.every((version) => isDeepStrictEqual(version[field], versions[0]?.[field]));

function checkVersion(version: Version, versions: Version[], path: string): FieldError[] {
  const wrong = isDns1035Label(version.name ?? '');
  return [
    ...(wrong.length > 0 ? [invalid(`${path}.name`, version.name ?? '', wrong.join(','))] : []),
    ...checkDeprecation(version, path),
    ...(isShared(versions, 'schema') ? [] : checkSchema(version, `${path}.schema`)),
    ...(isShared(versions, 'subresources')
      ? []
      : checkSubresources(version.subresources, `${path}.subresources`)),
    ...(isShared(versions, 'additionalPrinterColumns') ? [] : checkColumns(version, path)),
    ...(isShared(versions, 'selectableFields') ? [] : checkSelectable(version, path)),
  ];
}

/** The parts that all versions share, once. */
function checkShared(versions: Version[], path: string): FieldError[] {
  const [first] = versions;
  if (first === undefined) return [];
  const hasStatus = versions.find(({ subresources }) => subresources?.status !== undefined) ?? first;
  return [
    ...(isShared(versions, 'schema')
      ? checkSchema(
          { ...hasStatus, ...(first.schema !== undefined && { schema: first.schema }) },
          `${path}.validation`,
        )
      : []),
    ...(isShared(versions, 'subresources')
      ? checkSubresources(first.subresources, `${path}.subresources`)
      : []),
    ...(isShared(versions, 'additionalPrinterColumns') ? checkColumns(first, path) : []),
    ...(isShared(versions, 'selectableFields') ? checkSelectable(first, path) : []),
  ];
}

const checkColumns = ({ additionalPrinterColumns = [] }: Version, path: string): FieldError[] =>
  additionalPrinterColumns.flatMap((column, index) =>
    checkColumn(column, `${path}.additionalPrinterColumns[${index}]`),
  );

function checkSelectable({ selectableFields = [], schema }: Version, path: string): FieldError[] {
  const root = schema?.openAPIV3Schema as StructuralSchema | undefined;
  if (selectableFields.length === 0 || root === undefined) return [];
  return checkSelectableFields(selectableFields, root, `${path}.selectableFields`);
}

function checkVersionList(versions: Version[], field: string): FieldError[] {
  const names = versions.map(({ name }) => name);
  const stored = versions.filter(({ storage }) => storage).length;
  return [
    ...(new Set(names).size === names.length
      ? []
      : [invalid(field, versions, 'must contain unique version names')]),
    ...(stored === 1
      ? []
      : [invalid(field, versions, 'must have exactly one version marked as storage version')]),
  ];
}
