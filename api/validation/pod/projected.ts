import type {
  DownwardAPIVolumeFile,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '../../types.ts';
import { checkFileMode, checkPresent, checkUnreservedPath } from '../checks.ts';
import { forbidden, invalid, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateFieldRef, validateResourceFieldRef, volumeFields } from './downward-api.ts';
import { validateItems } from './key-to-path.ts';

/** Checks a projected volume: no two sources may make the same file. */
export function validateProjected(
  { defaultMode, sources }: ProjectedVolumeSource,
  path: string,
): FieldError[] {
  const taken = new Set<string>();
  return [
    ...checkFileMode(defaultMode, `${path}.defaultMode`),
    ...(sources ?? []).flatMap((source, index) => [
      ...validateSource(source, path, `${path}.sources[${index}]`),
      ...claimPaths(source, path, taken),
      ...checkOneSource(source, `${path}.sources[${index}]`),
    ]),
  ];
}

function validateSource(source: VolumeProjection, path: string, at: string): FieldError[] {
  const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle } = source;
  return [
    ...(secret === undefined ? [] : validateNamed(secret, `${at}.secret`)),
    ...(configMap === undefined ? [] : validateNamed(configMap, `${at}.configMap`)),
    ...validateDownwardApiFiles(downwardAPI?.items, `${at}.downwardAPI`),
    ...(serviceAccountToken === undefined
      ? []
      : validateToken(serviceAccountToken, path, `${at}.serviceAccountToken`)),
    ...(clusterTrustBundle === undefined
      ? []
      : [
          ...checkPresent(clusterTrustBundle.path, `${path}.path`),
          ...checkUnreservedPath(clusterTrustBundle.path ?? '', `${path}.path`),
        ]),
  ];
}

function validateNamed(
  { name, items }: { name?: string; items?: { key: string; path: string; mode?: number }[] },
  at: string,
): FieldError[] {
  return [...checkPresent(name, `${at}.name`), ...validateItems(items, at)];
}

function validateToken(
  { expirationSeconds = 3600, path: file = '' }: ServiceAccountTokenProjection,
  path: string,
  at: string,
): FieldError[] {
  const field = `${at}.expirationSeconds`;
  return [
    ...(expirationSeconds < 600
      ? [invalid(field, expirationSeconds, 'may not specify a duration less than 10 minutes')]
      : []),
    ...(expirationSeconds > 2 ** 32
      ? [invalid(field, expirationSeconds, 'may not specify a duration larger than 2^32 seconds')]
      : []),
    // The path of the field is the volume's own, as upstream has it.
    ...(file === '' ? [required(`${path}.path`)] : checkUnreservedPath(file, `${path}.path`)),
  ];
}

/** The files that a source makes, with the value that upstream shows when two are the same. */
function claimPaths(source: VolumeProjection, path: string, taken: Set<string>): FieldError[] {
  const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle } = source;
  const files: [file: string, shown: string][] = [
    ...(secret?.items ?? []).map((item): [string, string] => [item.path, secret?.name ?? '']),
    ...(configMap?.items ?? []).map((item): [string, string] => [item.path, configMap?.name ?? '']),
    ...(downwardAPI?.items ?? []).map((item): [string, string] => [item.path, item.path]),
    ...[serviceAccountToken, clusterTrustBundle].flatMap((single): [string, string][] =>
      single === undefined ? [] : [[single.path, single.path]],
    ),
  ];
  return files.flatMap(([file, shown]) => {
    if (file === '' || file === undefined) return [];
    if (taken.has(file)) return [invalid(path, shown, 'conflicting duplicate paths')];
    taken.add(file);
    return [];
  });
}

function checkOneSource(source: VolumeProjection, at: string): FieldError[] {
  if (Object.values(source).filter((value) => value !== undefined).length <= 1) return [];
  return [forbidden(at, 'may not specify more than 1 volume type per source')];
}

/** Downward API files, in a volume of their own or projected. The index is no part of the field, as upstream. */
export function validateDownwardApiFiles(
  items: DownwardAPIVolumeFile[] | undefined,
  path: string,
): FieldError[] {
  return (items ?? []).flatMap((file) => [
    ...checkPresent(file.path, `${path}.path`),
    ...checkUnreservedPath(file.path ?? '', `${path}.path`),
    ...validateFileSource(file, path),
    ...checkFileMode(file.mode, `${path}.mode`),
  ]);
}

function validateFileSource(
  { fieldRef, resourceFieldRef }: DownwardAPIVolumeFile,
  path: string,
): FieldError[] {
  if (fieldRef !== undefined)
    return [
      ...validateFieldRef(fieldRef, volumeFields, `${path}.fieldRef`),
      ...(resourceFieldRef === undefined
        ? []
        : [invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously')]),
    ];
  if (resourceFieldRef !== undefined)
    return validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, { inVolume: true });
  return [required(path, 'one of fieldRef and resourceFieldRef is required')];
}
