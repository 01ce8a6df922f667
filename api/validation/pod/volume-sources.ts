import type { CSIVolumeSource, HostPathVolumeSource, Volume } from '../../types.ts';
import {
  checkDescendingPath,
  checkEnum,
  checkFileMode,
  checkNoBacksteps,
  checkPresent,
  checkRequiredEnum,
  complaints,
  nameIsSubdomain,
} from '../checks.ts';
import { isDns1123Subdomain } from '../../names.ts';
import { compareQuantities } from '../../quantity.ts';
import { forbidden, invalid, required, tooLong } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { validateClaimTemplate } from '../storage/claim-spec.ts';
import {
  checkAzureDisk,
  checkIscsi,
  checkQuobyte,
  checkSecretReference,
  checkStorageOs,
} from './network-volumes.ts';
import { validateItems } from './key-to-path.ts';
import { validateDownwardApiFiles, validateProjected } from './projected.ts';

type VolumeType = Exclude<keyof Volume, 'name'>;

/** Checks one source; it is known to be there. */
type SourceCheck = (volume: Volume, path: string, pod: { podName: string; isPod: boolean }) => FieldError[];

/** The checks of all sources, in upstream's order: the first one that a volume has counts. */
export const volumeSources: [type: VolumeType, check: SourceCheck][] = [
  ['emptyDir', ({ emptyDir }, path) => checkSizeLimit(emptyDir?.sizeLimit, path)],
  ['hostPath', ({ hostPath }, path) => (hostPath === undefined ? [] : checkHostPath(hostPath, path))],
  [
    'gitRepo',
    ({ gitRepo }, path) => [
      ...checkPresent(gitRepo?.repository, `${path}.repository`),
      ...checkDescendingPath(gitRepo?.directory ?? '', `${path}.directory`),
    ],
  ],
  [
    'gcePersistentDisk',
    ({ gcePersistentDisk: disk }, path) => {
      const at = path.replace(/gcePersistentDisk$/, 'persistentDisk'); // upstream's own name for it
      return [...checkPresent(disk?.pdName, `${at}.pdName`), ...checkPartition(disk?.partition, at)];
    },
  ],
  [
    'awsElasticBlockStore',
    ({ awsElasticBlockStore: disk }, path) => [
      ...checkPresent(disk?.volumeID, `${path}.volumeID`),
      ...checkPartition(disk?.partition, path),
    ],
  ],
  [
    'secret',
    ({ secret }, path) => [
      ...checkPresent(secret?.secretName, `${path}.secretName`),
      ...checkFileMode(secret?.defaultMode, `${path}.defaultMode`),
      ...validateItems(secret?.items, path),
    ],
  ],
  [
    'nfs',
    ({ nfs }, path) => [
      ...checkPresent(nfs?.server, `${path}.server`),
      ...checkPresent(nfs?.path, `${path}.path`),
      ...(nfs?.path?.startsWith('/') === true
        ? []
        : [invalid(`${path}.path`, nfs?.path ?? '', 'must be an absolute path')]),
    ],
  ],
  ['iscsi', ({ iscsi }, path, place) => (iscsi === undefined ? [] : checkIscsi(iscsi, path, place))],
  ['glusterfs', requireFields('glusterfs', ['endpoints', 'path'])],
  [
    'flocker',
    ({ flocker }, path) =>
      (flocker?.datasetName ?? '') === '' && (flocker?.datasetUUID ?? '') === ''
        ? [required(path, 'one of datasetName and datasetUUID is required')]
        : [],
  ],
  ['persistentVolumeClaim', requireFields('persistentVolumeClaim', ['claimName'])],
  ['rbd', requireFields('rbd', ['monitors', 'image'])],
  [
    'cinder',
    ({ cinder }, path, place) => [
      ...checkPresent(cinder?.volumeID, `${path}.volumeID`),
      ...checkSecretReference(cinder?.secretRef, `${path}.secretRef`, place),
    ],
  ],
  ['cephfs', requireFields('cephfs', ['monitors'])],
  ['quobyte', ({ quobyte }, path) => (quobyte === undefined ? [] : checkQuobyte(quobyte, path))],
  [
    'downwardAPI',
    ({ downwardAPI }, path) => [
      ...checkFileMode(downwardAPI?.defaultMode, `${path}.defaultMode`),
      ...validateDownwardApiFiles(downwardAPI?.items, path),
    ],
  ],
  [
    'fc',
    ({ fc }, path) =>
      (fc?.targetWWNs ?? []).length + (fc?.wwids ?? []).length === 0
        ? [required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both')]
        : [],
  ],
  ['flexVolume', requireFields('flexVolume', ['driver'])],
  [
    'configMap',
    ({ configMap }, path) => [
      ...checkPresent(configMap?.name, `${path}.name`),
      ...checkFileMode(configMap?.defaultMode, `${path}.defaultMode`),
      ...validateItems(configMap?.items, path),
    ],
  ],
  ['azureFile', requireFields('azureFile', ['secretName', 'shareName'])],
  ['vsphereVolume', requireFields('vsphereVolume', ['volumePath'])],
  ['photonPersistentDisk', requireFields('photonPersistentDisk', ['pdID'])],
  ['portworxVolume', requireFields('portworxVolume', ['volumeID'])],
  ['azureDisk', ({ azureDisk }, path) => (azureDisk === undefined ? [] : checkAzureDisk(azureDisk, path))],
  [
    'storageos',
    ({ storageos }, path, place) => (storageos === undefined ? [] : checkStorageOs(storageos, path, place)),
  ],
  ['projected', ({ projected }, path) => (projected === undefined ? [] : validateProjected(projected, path))],
  ['scaleIO', requireFields('scaleIO', ['gateway', 'system', 'volumeName'])],
  ['csi', ({ csi }, path) => (csi === undefined ? [] : checkCsi(csi, path))],
  [
    'ephemeral',
    ({ ephemeral }, path) =>
      ephemeral?.volumeClaimTemplate === undefined
        ? [required(`${path}.volumeClaimTemplate`)]
        : validateClaimTemplate(ephemeral.volumeClaimTemplate, `${path}.volumeClaimTemplate`),
  ],
  [
    'image',
    ({ image }, path, { isPod }) => [
      ...(isPod ? checkPresent(image?.reference, `${path}.reference`) : []),
      ...checkRequiredEnum(image?.pullPolicy, `${path}.pullPolicy`, ['Always', 'IfNotPresent', 'Never']),
    ],
  ],
];

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

function checkHostPath({ path: hostPath = '', type }: HostPathVolumeSource, path: string): FieldError[] {
  if (hostPath === '') return [required(`${path}.path`)];
  return [...checkNoBacksteps(hostPath, `${path}.path`), ...checkEnum(type, `${path}.type`, hostPathTypes)];
}

function checkSizeLimit(sizeLimit: string | undefined, path: string): FieldError[] {
  if (sizeLimit === undefined || compareQuantities(sizeLimit, '0') >= 0) return [];
  return [forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')];
}

function checkPartition(partition: number | undefined, path: string): FieldError[] {
  if (partition === undefined || (partition >= 0 && partition <= 255)) return [];
  return [invalid(`${path}.partition`, partition, 'must be between 1 and 255, inclusive')];
}

function checkCsi({ driver, nodePublishSecretRef }: CSIVolumeSource, path: string): FieldError[] {
  const errors = checkDriverName(driver ?? '', `${path}.driver`);
  if (nodePublishSecretRef === undefined) return errors;
  const { name = '' } = nodePublishSecretRef;
  if (name === '') return [...errors, required(`${path}.nodePublishSecretRef.name`)];
  return [...errors, ...complaints(`${path}.name`, name, nameIsSubdomain(name))];
}

/** The name of a CSI driver. */
export function checkDriverName(driver: string, path: string): FieldError[] {
  if (driver === '') return [required(path)];
  return [
    ...(driver.length > 63 ? [tooLong(path, 63)] : []),
    ...complaints(path, driver, isDns1123Subdomain(driver.toLowerCase())),
  ];
}

function requireFields(type: VolumeType, fields: string[]): SourceCheck {
  return (volume, path) => {
    const source = volume[type] as Record<string, unknown> | undefined;
    const isMissing = (value: unknown) =>
      value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
    return fields.filter((field) => isMissing(source?.[field])).map((field) => required(`${path}.${field}`));
  };
}
