import { isDeepStrictEqual } from 'node:util';
import type { CSIDriver, CSINode, CSIStorageCapacity } from '../../../api/types.ts';
import { deprecationOf, warnOfDeprecatedKeys } from '../deprecated-labels.ts';
import type { Column } from '../kind.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { ageColumn, nameColumn, text } from '../printers/columns.ts';
import { fieldDescription } from '../printers/field-description.ts';

const DRIVER_SPEC = 'storage.v1.CSIDriverSpec';
const CAPACITY = 'storage.v1.CSIStorageCapacity';

type Flag = 'attachRequired' | 'podInfoOnMount' | 'storageCapacity' | 'requiresRepublish';

const flagColumn = (name: string, field: Flag, whenUnset: boolean): Column<CSIDriver> => ({
  name,
  type: 'boolean',
  description: fieldDescription(DRIVER_SPEC, field),
  cell: ({ spec }) => spec?.[field] ?? whenUnset,
});

/** A field behind a gate that is off by default (VolumeLimitScaling, alpha in 1.36). */
function dropDisabledFields(driver: CSIDriver, old?: CSIDriver): void {
  if (old?.spec.preventPodSchedulingIfMissing === undefined) delete driver.spec.preventPodSchedulingIfMissing;
}

/** Said when tokens are asked for, or asked for otherwise, without a word on where they go. */
function warnings({ spec }: CSIDriver, old?: CSIDriver): string[] {
  const { tokenRequests = [], serviceAccountTokenInSecrets } = spec;
  const isNews = old === undefined || !isDeepStrictEqual(tokenRequests, old.spec.tokenRequests ?? []);
  if (tokenRequests.length === 0 || serviceAccountTokenInSecrets !== undefined || !isNews) return [];
  return [
    'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes',
  ];
}

export const csiDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  singular: 'csidriver',
  namespaced: false,
  verbs: ALL_VERBS,
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    flagColumn('AttachRequired', 'attachRequired', true),
    flagColumn('PodInfoOnMount', 'podInfoOnMount', false),
    flagColumn('StorageCapacity', 'storageCapacity', false),
    text('TokenRequests', fieldDescription(DRIVER_SPEC, 'tokenRequests'), ({ spec }) =>
      spec?.tokenRequests === undefined
        ? '<unset>'
        : spec.tokenRequests.map(({ audience }) => audience).join(','),
    ),
    flagColumn('RequiresRepublish', 'requiresRepublish', false),
    text(
      'Modes',
      fieldDescription(DRIVER_SPEC, 'volumeLifecycleModes'),
      ({ spec }) => (spec?.volumeLifecycleModes ?? []).join(',') || '<none>',
    ),
    ageColumn(),
  ],
  strategy: {
    allowUnconditionalUpdate: false,
    prepareForCreate: (driver) => dropDisabledFields(driver),
    prepareForUpdate: (driver, old) => {
      dropDisabledFields(driver, old);
      // A change is counted, though a new driver isn't numbered (upstream: csidriver strategy PrepareForUpdate).
      if (driver.metadata !== undefined && !isDeepStrictEqual(driver.spec, old.spec))
        driver.metadata.generation = (old.metadata?.generation ?? 0) + 1;
    },
    warnings,
  },
});

/** A node without drivers says so: both fields are written even when they are empty (upstream: storage.CSINode has no omitempty). */
function fillIn(node: CSINode): void {
  node.spec ??= { drivers: [] };
  node.spec.drivers ??= [];
}

export const csiNode = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  singular: 'csinode',
  namespaced: false,
  verbs: ALL_VERBS,
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    {
      name: 'Drivers',
      type: 'integer',
      description: 'Drivers indicates the number of CSI drivers registered on the node',
      cell: ({ spec }) => (spec?.drivers ?? []).length,
    },
    ageColumn(),
  ],
  strategy: { allowUnconditionalUpdate: false, prepareForCreate: fillIn, prepareForUpdate: fillIn },
});

export const csiStorageCapacity = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  singular: 'csistoragecapacity',
  namespaced: true,
  verbs: ALL_VERBS,
  columns: [
    nameColumn(),
    text(
      'StorageClassName',
      fieldDescription(CAPACITY, 'storageClassName'),
      ({ storageClassName }) => storageClassName ?? '',
    ),
    text('Capacity', fieldDescription(CAPACITY, 'capacity'), ({ capacity }) => capacity ?? '<unset>'),
  ],
  strategy: {
    allowUnconditionalUpdate: false,
    warnings: ({ nodeTopology }) => [
      ...warnOfDeprecatedKeys(nodeTopology?.matchExpressions, 'nodeTopology.matchExpressions'),
      ...Object.keys(nodeTopology?.matchLabels ?? {}).flatMap((key) => {
        const words = deprecationOf(key);
        return words === undefined ? [] : [`nodeTopology.matchLabels.${key}: ${words}`];
      }),
    ],
  },
});
