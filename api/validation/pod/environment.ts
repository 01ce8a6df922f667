import { isConfigMapKey, isEnvironmentVariableName } from '../../names.ts';
import type {
  ConfigMapKeySelector,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
} from '../../types.ts';
import { checkLabel, checkName, checkNoBacksteps, complaints, nameIsSubdomain } from '../checks.ts';
import { invalid, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { environmentFields, validateFieldRef, validateResourceFieldRef } from './downward-api.ts';

/** Checks a container's `env`. */
export function validateEnvironment(variables: EnvVar[] | undefined, path: string): FieldError[] {
  return (variables ?? []).flatMap(({ name, value, valueFrom }, index) => [
    ...checkName(name, `${path}[${index}].name`, isEnvironmentVariableName),
    ...(valueFrom === undefined
      ? []
      : validateValueFrom(valueFrom, value ?? '', `${path}[${index}].valueFrom`)),
  ]);
}

function validateValueFrom(source: EnvVarSource, value: string, path: string): FieldError[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    (each) => each !== undefined,
  ).length;
  return [
    ...(fieldRef === undefined ? [] : validateFieldRef(fieldRef, environmentFields, `${path}.fieldRef`)),
    ...(resourceFieldRef === undefined
      ? []
      : validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, { inVolume: false })),
    ...(configMapKeyRef === undefined ? [] : validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`)),
    ...(secretKeyRef === undefined ? [] : validateKeyRef(secretKeyRef, `${path}.secretKeyRef`)),
    ...(fileKeyRef === undefined ? [] : validateFileKeyRef(fileKeyRef, `${path}.fileKeyRef`)),
    ...checkCount(count, value, path),
  ];
}

function checkCount(count: number, value: string, path: string): FieldError[] {
  if (count === 0)
    return [
      invalid(
        path,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    ];
  if (value !== '') return [invalid(path, '', 'may not be specified when `value` is not empty')];
  return count > 1 ? [invalid(path, '', 'may not have more than one field specified at a time')] : [];
}

function validateKeyRef({ name = '', key }: ConfigMapKeySelector, path: string): FieldError[] {
  return [
    ...complaints(`${path}.name`, name, nameIsSubdomain(name)),
    ...checkName(key, `${path}.key`, isConfigMapKey),
  ];
}

function validateFileKeyRef(
  { key, volumeName = '', path: file = '' }: FileKeySelector,
  path: string,
): FieldError[] {
  return [
    ...checkName(key, `${path}.key`, isEnvironmentVariableName),
    ...(volumeName === '' ? [required(`${path}.volumeName`)] : checkLabel(volumeName, `${path}.volumeName`)),
    ...(file === '' ? [required(`${path}.path`)] : checkNoBacksteps(file, `${path}.path`)),
  ];
}

/** Checks a container's `envFrom`. */
export function validateEnvironmentFrom(sources: EnvFromSource[] | undefined, path: string): FieldError[] {
  return (sources ?? []).flatMap(({ prefix = '', configMapRef, secretRef }, index) => {
    const at = `${path}[${index}]`;
    const references = Object.entries({ configMapRef, secretRef });
    const present = references.filter(([, reference]) => reference !== undefined);
    return [
      ...(prefix === '' ? [] : complaints(`${at}.prefix`, prefix, isEnvironmentVariableName(prefix))),
      ...present.flatMap(([field, reference]) =>
        checkName(reference?.name, `${at}.${field}.name`, (name) => nameIsSubdomain(name, true)),
      ),
      ...(present.length === 0
        ? [invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`')]
        : []),
      ...(present.length > 1
        ? [invalid(path, '', 'may not have more than one field specified at a time')]
        : []),
    ];
  });
}
