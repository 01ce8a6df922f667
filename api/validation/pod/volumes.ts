import { quote } from '../../go-format.ts';
import type { ObjectMeta, Volume } from '../../types.ts';
import { checkLabel, complaints, nameIsSubdomain } from '../checks.ts';
import { duplicate, forbidden, invalid, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { volumeSources } from './volume-sources.ts';

/** The volumes that are valid, by name: containers may mount only these. */
export type VolumesByName = Map<string, Volume>;

/** Checks a Pod's volumes. Source of all of validation/pod: Kubernetes pkg/apis/core/validation/validation.go. */
export function validateVolumes(
  volumes: Volume[] | undefined,
  path: string,
  { metadata, isPod }: { metadata?: ObjectMeta | undefined; isPod: boolean },
): { errors: FieldError[]; byName: VolumesByName } {
  const byName: VolumesByName = new Map();
  const errors: FieldError[] = [];
  const podName = metadata?.name ?? '';
  const created = new Set(
    (volumes ?? [])
      .filter(({ ephemeral }) => ephemeral !== undefined)
      .map(({ name }) => `${podName}-${name}`),
  );
  for (const [index, volume] of (volumes ?? []).entries()) {
    const at = `${path}[${index}]`;
    const own = [
      ...validateSource(volume, at, { podName, isPod }),
      ...validateName(volume.name ?? '', at, byName),
    ];
    if (own.length === 0) byName.set(volume.name, volume);
    errors.push(...own);
    const claimName = volume.persistentVolumeClaim?.claimName;
    if (podName !== '' && claimName !== undefined && created.has(claimName))
      errors.push(
        invalid(
          `${at}.persistentVolumeClaim.claimName`,
          claimName,
          'must not reference a PVC that gets created for an ephemeral volume',
        ),
      );
  }
  return { errors, byName };
}

function validateName(name: string, at: string, byName: VolumesByName): FieldError[] {
  const errors = name === '' ? [required(`${at}.name`)] : checkLabel(name, `${at}.name`);
  return byName.has(name) ? [...errors, duplicate(`${at}.name`, name)] : errors;
}

function validateSource(volume: Volume, at: string, pod: { podName: string; isPod: boolean }): FieldError[] {
  const [first, ...others] = volumeSources.filter(([type]) => volume[type] !== undefined);
  if (first === undefined) return [required(at, 'must specify a volume type')];
  const [type, validate] = first;
  return [
    ...validate(volume, `${at}.${type}`, pod),
    ...others.map(([other]) => forbidden(`${at}.${other}`, 'may not specify more than 1 volume type')),
    ...(type === 'ephemeral' ? checkClaimName(volume.name ?? '', at, pod.podName) : []),
  ];
}

/** The claim that an ephemeral volume makes is called after Pod and volume. */
function checkClaimName(name: string, at: string, podName: string): FieldError[] {
  if (podName === '' || name === '') return [];
  const claim = `${podName}-${name}`;
  const wrong = nameIsSubdomain(claim).map((message) => `PVC name ${quote(claim)}: ${message}`);
  return complaints(`${at}.name`, name, wrong);
}
