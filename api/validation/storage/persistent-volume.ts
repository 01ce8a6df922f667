import { normalize } from 'node:path/posix';
import { canonicalQuantity, compareQuantities, quantityValue } from '../../quantity.ts';
import type {
  CSIPersistentVolumeSource,
  PersistentVolume,
  PersistentVolumeSpec,
  SecretReference,
} from '../../types.ts';
import {
  checkEnum,
  checkLabel,
  checkNoBacksteps,
  checkSubdomain,
  complaints,
  nameIsSubdomain,
} from '../checks.ts';
import { forbidden, invalid, notSupported, required } from '../field-error.ts';
import type { FieldError } from '../field-error.ts';
import { checkImmutable, validateCoreObjectMeta, validateCoreObjectMetaUpdate } from '../object-meta.ts';
import { validateNodeSelector } from '../pod/affinity.ts';
import { checkDriverName, volumeSources } from '../pod/volume-sources.ts';
import { semanticEqual } from '../semantic-equal.ts';
import { jsonDiff } from '../unified-diff.ts';
import { validateAccessModes, volumeModes } from './claim-spec.ts';
import { checkAffinityStays } from './volume-affinity.ts';

export function validatePersistentVolume(volume: PersistentVolume): FieldError[] {
  const spec = volume.spec ?? {};
  const { storageClassName = '', nodeAffinity } = spec;
  const recycled =
    spec.persistentVolumeReclaimPolicy === 'Recycle' && normalize(spec.hostPath?.path ?? '') === '/';
  return [
    ...validateCoreObjectMeta(volume, { namespaced: false, nameRule: nameIsSubdomain }),
    ...validateAccessModes(spec.accessModes, 'spec.accessModes', ''),
    ...validateCapacity(spec.capacity),
    ...checkEnum(spec.persistentVolumeReclaimPolicy, 'spec.persistentVolumeReclaimPolicy', [
      'Delete',
      'Recycle',
      'Retain',
    ]),
    ...(nodeAffinity === undefined
      ? []
      : nodeAffinity.required === undefined
        ? [required('spec.nodeAffinity.required', 'must specify required node constraints')]
        : validateNodeSelector(nodeAffinity.required, 'spec.nodeAffinity.required')),
    ...validateSource(spec, 'spec'),
    ...(recycled
      ? [forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'")]
      : []),
    ...(storageClassName === ''
      ? []
      : complaints('spec.storageClassName', storageClassName, nameIsSubdomain(storageClassName))),
    ...checkEnum(spec.volumeMode, 'spec.volumeMode', volumeModes),
    ...checkMountOptions(volume),
    ...validateAttributesClass(spec),
  ];
}

const mountOptionsAnnotation = 'volume.beta.kubernetes.io/mount-options';

/** The types whose options could be given by an annotation before there was a field for them. */
const typesWithMountOptions = [
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'nfs',
  'rbd',
  'quobyte',
  'iscsi',
  'cinder',
  'cephfs',
  'azureFile',
  'vsphereVolume',
  'azureDisk',
  'photonPersistentDisk',
] as const;

function checkMountOptions({ metadata, spec }: PersistentVolume): FieldError[] {
  if (metadata?.annotations?.[mountOptionsAnnotation] === undefined) return [];
  if (typesWithMountOptions.some((type) => spec?.[type] !== undefined)) return [];
  return [
    forbidden(
      `metadata.annotations.${mountOptionsAnnotation}`,
      'may not specify mount options for this volume type',
    ),
  ];
}

function validateCapacity(capacity: Record<string, string> | undefined): FieldError[] {
  // The order in which an error shows them.
  const entries = Object.entries(capacity ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = entries.map(([name]) => name);
  const onlyStorage = names.length === 1 && names[0] === 'storage';
  return [
    ...(names.length === 0 ? [required('spec.capacity')] : []),
    ...(onlyStorage
      ? []
      : [
          notSupported('spec.capacity', capacity === undefined ? null : Object.fromEntries(entries), [
            'storage',
          ]),
        ]),
    ...entries.flatMap(([name, amount]) => {
      const field = `spec.capacity[${name}]`;
      return [
        ...(quantityValue(amount) < 0
          ? [invalid(field, quantityValue(amount), 'must be a valid resource quantity')]
          : []),
        ...(compareQuantities(amount, '0') <= 0
          ? [invalid(field, canonicalQuantity(amount), 'must be greater than zero')]
          : []),
      ];
    }),
  ];
}

/**
 * Checks the spec of a volume that stands in a VolumeAttachment, as a Pod's own in-tree volume does after its translation: no
 * claim, no capacity, and CSI alone.
 */
export function validateInlineVolumeSpec(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const words = 'may not be specified in the context of inline volumes';
  const { persistentVolumeReclaimPolicy: policy = '', storageClassName = '' } = spec;
  return [
    ...(spec.claimRef === undefined ? [] : [forbidden(`${path}.claimRef`, words)]),
    ...(Object.keys(spec.capacity ?? {}).length === 0 ? [] : [forbidden(`${path}.capacity`, words)]),
    ...(spec.csi === undefined
      ? [required(`${path}.csi`, 'has to be specified in the context of inline volumes')]
      : []),
    ...validateAccessModes(spec.accessModes, `${path}.accessModes`, ''),
    ...(policy === '' || policy === 'Retain'
      ? []
      : [
          forbidden(
            `${path}.persistentVolumeReclaimPolicy`,
            'may only be Retain in the context of inline volumes',
          ),
        ]),
    ...(spec.nodeAffinity === undefined ? [] : [forbidden(`${path}.nodeAffinity`, words)]),
    ...validateSource(spec, path),
    ...(storageClassName === '' ? [] : [forbidden(`${path}.storageClassName`, words)]),
    ...(spec.volumeMode === undefined || spec.volumeMode === 'Filesystem'
      ? []
      : [
          forbidden(
            `${path}.volumeMode`,
            'may not specify volumeMode other than Filesystem in the context of inline volumes',
          ),
        ]),
  ];
}

function validateAttributesClass({
  volumeAttributesClassName: name,
  csi,
}: PersistentVolumeSpec): FieldError[] {
  if (name === undefined) return [];
  const field = 'spec.volumeAttributesClassName';
  return [
    ...(name === ''
      ? [required(field, 'an empty string is disallowed')]
      : complaints(field, name, nameIsSubdomain(name))),
    ...(csi === undefined
      ? [required('spec.csi', 'has to be specified when using volumeAttributesClassName')]
      : []),
  ];
}

type SourceCheck = (spec: PersistentVolumeSpec, path: string) => FieldError[];

/** Sources that only persistent volumes have; the others are checked as those of a Pod. */
const ownSources: [type: keyof PersistentVolumeSpec, check: SourceCheck][] = [
  [
    'local',
    ({ local, nodeAffinity }, path) => checkLocal(local?.path ?? '', nodeAffinity !== undefined, path),
  ],
  ['csi', ({ csi }, path) => (csi === undefined ? [] : checkCsi(csi, path))],
];

const sources: [type: string, check: SourceCheck][] = [
  ...volumeSources
    .filter(([type]) => type !== 'csi')
    .map(([type, check]): [string, SourceCheck] => [
      type,
      (spec, path) => check(spec as never, path, { podName: '', isPod: false }),
    ]),
  ...ownSources,
];

function validateSource(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const given = sources.filter(([type]) => (spec as Record<string, unknown>)[type] !== undefined);
  const [first, ...others] = given;
  if (first === undefined) return [required(path, 'must specify a volume type')];
  const [type, check] = first;
  return [
    ...check(spec, `${path}.${type}`),
    ...others.map(([other]) => forbidden(`${path}.${other}`, 'may not specify more than 1 volume type')),
  ];
}

function checkLocal(localPath: string, hasAffinity: boolean, path: string): FieldError[] {
  return [
    ...(localPath === '' ? [required(`${path}.path`)] : checkNoBacksteps(localPath, `${path}.path`)),
    ...(hasAffinity ? [] : [required('spec.nodeAffinity', 'Local volume requires node affinity')]),
  ];
}

const secretFields = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

function checkCsi(csi: CSIPersistentVolumeSource, path: string): FieldError[] {
  return [
    ...checkDriverName(csi.driver ?? '', `${path}.driver`),
    ...((csi.volumeHandle ?? '') === '' ? [required(`${path}.volumeHandle`)] : []),
    ...secretFields.flatMap((field) => {
      const reference = csi[field];
      return reference === undefined ? [] : checkSecretReference(reference, `${path}.${field}`);
    }),
  ];
}

function checkSecretReference({ name = '', namespace = '' }: SecretReference, path: string): FieldError[] {
  return [
    ...(name === '' ? [required(`${path}.name`)] : checkSubdomain(name, `${path}.name`)),
    ...(namespace === '' ? [required(`${path}.namespace`)] : checkLabel(namespace, `${path}.namespace`)),
  ];
}

/** Checks a changed volume: what it is stays as it is. */
export function validatePersistentVolumeUpdate(
  volume: PersistentVolume,
  old: PersistentVolume,
): FieldError[] {
  const [source, before] = [sourceOf(volume.spec ?? {}), sourceOf(old.spec ?? {})];
  const words = 'spec.persistentvolumesource is immutable after creation';
  return [
    ...validateCoreObjectMetaUpdate(volume, old),
    ...validatePersistentVolume(volume),
    ...(semanticEqual(withOldSecret(source, before), before)
      ? []
      : [forbidden('spec.persistentvolumesource', `${words}\n${jsonDiff(before, source)}`)]),
    ...checkImmutable(volume.spec?.volumeMode, old.spec?.volumeMode, 'volumeMode'),
    ...checkAffinityStays(volume.spec?.nodeAffinity, old.spec?.nodeAffinity),
    ...(old.spec?.volumeAttributesClassName !== undefined &&
    volume.spec?.volumeAttributesClassName === undefined
      ? [forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden')]
      : []),
  ];
}

function sourceOf(spec: PersistentVolumeSpec): Partial<PersistentVolumeSpec> {
  const types = new Set(sources.map(([type]) => type));
  return Object.fromEntries(Object.entries(spec).filter(([type]) => types.has(type)));
}

/** The secret for expansion may be added later. */
function withOldSecret(source: Partial<PersistentVolumeSpec>, before: Partial<PersistentVolumeSpec>) {
  if (
    source.csi === undefined ||
    before.csi === undefined ||
    before.csi.controllerExpandSecretRef !== undefined
  )
    return source;
  const { controllerExpandSecretRef: _, ...csi } = source.csi;
  return { ...source, csi };
}

/** Checks a write to persistentvolumes/status. */
export function validatePersistentVolumeStatusUpdate(
  volume: PersistentVolume,
  old: PersistentVolume,
): FieldError[] {
  return validateCoreObjectMetaUpdate(volume, old);
}
