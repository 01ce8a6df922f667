import type {
  AzureDiskVolumeSource,
  ISCSIVolumeSource,
  QuobyteVolumeSource,
  SecretReference,
  StorageOSVolumeSource,
} from '../../types.ts';
import { checkEnum, checkLabel, checkPresent } from '../checks.ts';
import { invalid, notSupported, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';

/** Where a source stands: in a Pod a secret is of its namespace, in a persistent volume it names one. */
interface Place {
  podName: string;
  isPod: boolean;
}

const LARGEST_LUN = 255;
const LONGEST_TENANT = 64;
const NAME_FORMATS: Record<string, RegExp> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

const isWellFormed = (name: string): boolean => NAME_FORMATS[name.slice(0, 3)]?.test(name) ?? false;

export function checkIscsi(source: ISCSIVolumeSource, path: string, { isPod }: Place): FieldError[] {
  const { iqn = '', lun = 0, initiatorName, secretRef } = source;
  const isKnown = NAME_FORMATS[iqn.slice(0, 3)] !== undefined;
  const words =
    isPod && !isKnown ? 'must be valid format starting with iqn, eui, or naa' : 'must be valid format';
  const needsSecret = source.chapAuthDiscovery === true || source.chapAuthSession === true;
  return [
    ...checkPresent(source.targetPortal, `${path}.targetPortal`),
    ...(iqn === ''
      ? [required(`${path}.iqn`)]
      : isWellFormed(iqn)
        ? []
        : [invalid(`${path}.iqn`, iqn, words)]),
    ...(lun < 0 || lun > LARGEST_LUN
      ? [invalid(`${path}.lun`, lun, `must be between 0 and ${LARGEST_LUN}, inclusive`)]
      : []),
    ...(needsSecret && secretRef === undefined ? [required(`${path}.secretRef`)] : []),
    ...(secretRef === undefined ? [] : checkPresent(secretRef.name, `${path}.secretRef.name`)),
    ...(initiatorName === undefined || isWellFormed(initiatorName)
      ? []
      : [invalid(`${path}.initiatorname`, initiatorName, 'must be valid format')]),
  ];
}

export function checkQuobyte(source: QuobyteVolumeSource, path: string): FieldError[] {
  return [...checkRegistry(source, path), ...checkPresent(source.volume, `${path}.volume`)];
}

function checkRegistry({ registry = '', tenant = '' }: QuobyteVolumeSource, path: string): FieldError[] {
  const words = 'must be a host:port pair or multiple pairs separated by commas';
  if (registry === '') return [required(`${path}.registry`, words)];
  if (tenant.length > LONGEST_TENANT)
    return [required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters')];
  const wrong = registry.split(',').filter((pair) => !/^([^:[\]]*|\[[^[\]]*\]):[^:[\]]*$/.test(pair));
  return wrong.map(() => invalid(`${path}.registry`, registry, words));
}

const MANAGED_DISK =
  '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const BLOB_DISK = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

export function checkAzureDisk(source: AzureDiskVolumeSource, path: string): FieldError[] {
  const { diskURI = '', kind } = source;
  const isManaged = kind === 'Managed';
  const isRight = kind === undefined || diskURI.startsWith(isManaged ? '/subscriptions/' : 'https://');
  return [
    ...checkPresent(source.diskName, `${path}.diskName`),
    ...checkPresent(diskURI, `${path}.diskURI`),
    ...checkEnum(source.cachingMode, `${path}.cachingMode`, ['None', 'ReadOnly', 'ReadWrite']),
    ...checkEnum(kind, `${path}.kind`, ['Dedicated', 'Managed', 'Shared']),
    ...(isRight ? [] : [notSupported(`${path}.diskURI`, diskURI, [isManaged ? MANAGED_DISK : BLOB_DISK])]),
  ];
}

export function checkStorageOs(source: StorageOSVolumeSource, path: string, place: Place): FieldError[] {
  const { volumeName = '', volumeNamespace = '' } = source;
  return [
    ...(volumeName === '' ? [required(`${path}.volumeName`)] : checkLabel(volumeName, `${path}.volumeName`)),
    ...(volumeNamespace === '' ? [] : checkLabel(volumeNamespace, `${path}.volumeNamespace`)),
    ...checkSecretReference(source.secretRef, `${path}.secretRef`, place),
  ];
}

/** A reference that may be missing, but not half there. */
export function checkSecretReference(
  reference: SecretReference | undefined,
  path: string,
  { isPod }: Place,
): FieldError[] {
  if (reference === undefined) return [];
  return [
    ...checkPresent(reference.name, `${path}.name`),
    ...(isPod ? [] : checkPresent(reference.namespace, `${path}.namespace`)),
  ];
}
