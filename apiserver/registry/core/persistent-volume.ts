import { betaStorageClass } from '../../../api/storage/annotations.ts';
import { classOfVolume } from '../../../api/storage/storage-class.ts';
import type { PersistentVolume } from '../../../api/types.ts';
import { timestamp } from '../../endpoints/timestamp.ts';
import { warnOfDeprecatedKeys } from '../deprecated-labels.ts';
import { deprecatedSourceWarnings } from '../deprecated-sources.ts';
import type { DeprecatedSource } from '../deprecated-sources.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { formatAccessModes } from '../printers/access-modes.ts';
import { ageColumn, nameColumn, text, wide } from '../printers/columns.ts';
import { fieldDescription } from '../printers/field-description.ts';

const SPEC = 'core.v1.PersistentVolumeSpec';
const STATUS = 'core.v1.PersistentVolumeStatus';

/** A new volume's phase is for the volume controller to decide; when it changed is noted from the start. */
function prepareForCreate(volume: PersistentVolume): void {
  volume.status = { phase: 'Pending', lastPhaseTransitionTime: timestamp(new Date()) };
}

function keepStatus(volume: PersistentVolume, old: PersistentVolume): void {
  if (old.status === undefined) delete volume.status;
  else volume.status = old.status;
}

/** The status alone is taken over, with the time of a change of phase (upstream: persistentvolumeStatusStrategy). */
function onlyStatus(volume: PersistentVolume, old: PersistentVolume): void {
  if (old.spec !== undefined) volume.spec = old.spec;
  const status = (volume.status ??= {});
  const before = old.status?.lastPhaseTransitionTime;
  if (status.phase === old.status?.phase) {
    if (status.lastPhaseTransitionTime === undefined && before !== undefined)
      status.lastPhaseTransitionTime = before;
  } else if (status.lastPhaseTransitionTime === undefined || status.lastPhaseTransitionTime === before) {
    status.lastPhaseTransitionTime = timestamp(new Date());
  }
}

const DEPRECATED_ANNOTATIONS = [
  [betaStorageClass, 'deprecated since v1.8; use "storageClassName" attribute instead'],
  ['volume.beta.kubernetes.io/mount-options', 'deprecated since v1.31; use "mountOptions" attribute instead'],
] as const;

const DEPRECATED_SOURCES: DeprecatedSource[] = [
  'cephfs',
  'photonPersistentDisk',
  'scaleIO',
  'storageos',
  'glusterfs',
  'rbd',
];

/** Upstream: pkg/api/persistentvolume GetWarningsForPersistentVolume. */
function warnings({ metadata, spec }: PersistentVolume): string[] {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  return [
    ...DEPRECATED_ANNOTATIONS.filter(([key]) => metadata?.annotations?.[key] !== undefined).map(
      ([key, words]) => `metadata.annotations[${key}]: ${words}`,
    ),
    ...(spec?.persistentVolumeReclaimPolicy === 'Recycle'
      ? [
          'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
        ]
      : []),
    ...terms.flatMap(({ matchExpressions }, index) =>
      warnOfDeprecatedKeys(
        matchExpressions,
        `spec.nodeAffinity.required.nodeSelectorTerms[${index}].matchExpressions`,
      ),
    ),
    ...deprecatedSourceWarnings(spec ?? {}, DEPRECATED_SOURCES, 'spec'),
  ];
}

const claimOf = ({ spec }: PersistentVolume): string =>
  spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`;

export const persistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  namespaced: false,
  verbs: ALL_VERBS,
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text('Capacity', fieldDescription(SPEC, 'capacity'), ({ spec }) => spec?.capacity?.['storage'] ?? '0'),
    text('Access Modes', fieldDescription(SPEC, 'accessModes'), ({ spec }) =>
      formatAccessModes(spec?.accessModes),
    ),
    text(
      'Reclaim Policy',
      fieldDescription(SPEC, 'persistentVolumeReclaimPolicy'),
      ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? '',
    ),
    text('Status', fieldDescription(STATUS, 'phase'), ({ metadata, status }) =>
      metadata?.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    ),
    text('Claim', fieldDescription(SPEC, 'claimRef'), claimOf),
    text('StorageClass', 'StorageClass of the pv', classOfVolume),
    text(
      'VolumeAttributesClass',
      'VolumeAttributesClass of the pv',
      ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>',
    ),
    text('Reason', fieldDescription(STATUS, 'reason'), ({ status }) => status?.reason ?? ''),
    ageColumn(),
    wide(
      text('VolumeMode', fieldDescription(SPEC, 'volumeMode'), ({ spec }) => spec?.volumeMode ?? '<unset>'),
    ),
  ],
  strategy: { prepareForCreate, prepareForUpdate: keepStatus, warnings },
  subresources: [
    {
      name: 'status',
      kind: 'PersistentVolume',
      verbs: ['get', 'patch', 'update'],
      strategy: { prepareForUpdate: onlyStatus },
    },
  ],
});
