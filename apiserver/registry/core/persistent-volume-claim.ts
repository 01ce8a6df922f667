import { normalizeDataSources } from '../../../api/defaults/storage.ts';
import { betaStorageClass } from '../../../api/storage/annotations.ts';
import { classOfClaim } from '../../../api/storage/storage-class.ts';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../../api/types.ts';
import { fractionalByteWarnings } from '../fractional-bytes.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { formatAccessModes } from '../printers/access-modes.ts';
import { ageColumn, nameColumn, text, wide } from '../printers/columns.ts';
import { fieldDescription } from '../printers/field-description.ts';

const SPEC = 'core.v1.PersistentVolumeClaimSpec';
const STATUS = 'core.v1.PersistentVolumeClaimStatus';

function prepareForCreate(claim: PersistentVolumeClaim): void {
  claim.status = { phase: 'Pending' };
  settleDataSources((claim.spec ??= {}), undefined);
}

function prepareForUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  if (old.status === undefined) delete claim.status;
  else claim.status = old.status;
  settleDataSources((claim.spec ??= {}), old.spec);
}

/**
 * Before 1.24 an unknown kind in `dataSource` made an empty volume, and old clients may still mean that; who names it in
 * `dataSourceRef` means it. Then each field gets what the other says (KEP-1495).
 */
function settleDataSources(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec | undefined,
): void {
  // Sources in other namespaces are behind a gate that is off (CrossNamespaceVolumeDataSource, alpha).
  if (spec.dataSourceRef?.namespace && old?.dataSourceRef === undefined) delete spec.dataSourceRef;
  const hadSource = old?.dataSource !== undefined || old?.dataSourceRef !== undefined;
  if (!hadSource && spec.dataSourceRef === undefined && !isClaimOrSnapshot(spec)) delete spec.dataSource;
  normalizeDataSources(spec);
}

function isClaimOrSnapshot({ dataSource }: PersistentVolumeClaimSpec): boolean {
  const { kind, apiGroup = '' } = dataSource ?? {};
  if (kind === 'PersistentVolumeClaim') return apiGroup === '';
  return kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io';
}

/** Upstream: pkg/api/persistentvolumeclaim GetWarningsForPersistentVolumeClaim. */
function warnings({ metadata, spec }: PersistentVolumeClaim): string[] {
  return [
    ...(metadata?.annotations?.[betaStorageClass] === undefined
      ? []
      : [
          `metadata.annotations[${betaStorageClass}]: deprecated since v1.8; use "storageClassName" attribute instead`,
        ]),
    ...claimSpecWarnings(spec, 'spec'),
  ];
}

/** Warnings of a claim's spec, in a claim or in a template for one. */
export const claimSpecWarnings = (spec: PersistentVolumeClaimSpec | undefined, path: string): string[] =>
  (['requests', 'limits'] as const).flatMap((list) =>
    fractionalByteWarnings(spec?.resources?.[list], ['storage'], `${path}.resources.${list}`),
  );

const isBoundTo = ({ spec }: PersistentVolumeClaim): boolean => (spec?.volumeName ?? '') !== '';

export const persistentVolumeClaim = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  namespaced: true,
  verbs: ALL_VERBS,
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text('Status', fieldDescription(STATUS, 'phase'), ({ metadata, status }) =>
      metadata?.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    ),
    text('Volume', fieldDescription(SPEC, 'volumeName'), ({ spec }) => spec?.volumeName ?? ''),
    text('Capacity', fieldDescription(STATUS, 'capacity'), (claim) =>
      isBoundTo(claim) ? (claim.status?.capacity?.['storage'] ?? '0') : '',
    ),
    text('Access Modes', fieldDescription(STATUS, 'accessModes'), (claim) =>
      isBoundTo(claim) ? formatAccessModes(claim.status?.accessModes) : '',
    ),
    text('StorageClass', 'StorageClass of the pvc', classOfClaim),
    text(
      'VolumeAttributesClass',
      'VolumeAttributesClass of the pvc',
      ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>',
    ),
    ageColumn(),
    wide(
      text('VolumeMode', fieldDescription(SPEC, 'volumeMode'), ({ spec }) => spec?.volumeMode ?? '<unset>'),
    ),
  ],
  strategy: { prepareForCreate, prepareForUpdate, warnings },
  subresources: [
    {
      name: 'status',
      kind: 'PersistentVolumeClaim',
      verbs: ['get', 'patch', 'update'],
      strategy: {
        prepareForUpdate: (claim, old) => {
          if (old.spec !== undefined) claim.spec = old.spec;
        },
      },
    },
  ],
});
