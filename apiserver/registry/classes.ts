import type { EndpointSlice, Lease, PriorityClass, RuntimeClass } from '../../api/types.ts';
import { endpointSliceWarnings } from './core/service-warnings.ts';
import { deprecationOf } from './deprecated-labels.ts';
import { ALL_VERBS, defineKind } from './kind.ts';
import { ageColumn, nameColumn, text, wide } from './printers/columns.ts';

export const lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  namespaced: true,
  verbs: ALL_VERBS,
  columns: [
    nameColumn(),
    text(
      'Holder',
      'holderIdentity contains the identity of the holder of a current lease.',
      ({ spec }) => spec?.holderIdentity ?? '',
    ),
    ageColumn(),
  ],
  strategy: { allowCreateOnUpdate: true, allowUnconditionalUpdate: false },
});

export const priorityClass = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  namespaced: false,
  verbs: ALL_VERBS,
  tracksGeneration: true,
  columns: [
    nameColumn(),
    {
      name: 'Value',
      type: 'integer',
      description: 'value represents the integer value of this priority class.',
      cell: ({ value }) => value ?? 0,
    },
    {
      name: 'Global-Default',
      type: 'boolean',
      description:
        'globalDefault specifies whether this PriorityClass should be considered as the default priority for pods that do not have any priority class.',
      cell: ({ globalDefault }) => globalDefault ?? false,
    },
    ageColumn(),
    wide(
      text(
        'PreemptionPolicy',
        'preemptionPolicy is the Policy for preempting pods with lower priority.',
        ({ preemptionPolicy }) => preemptionPolicy ?? '',
      ),
    ),
  ],
  strategy: {},
});

export const runtimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  singular: 'runtimeclass',
  namespaced: false,
  verbs: ALL_VERBS,
  columns: [
    nameColumn(),
    text(
      'Handler',
      'handler specifies the underlying runtime and configuration that the CRI implementation will use to handle pods of this class.',
      ({ handler }) => handler ?? '',
    ),
    ageColumn(),
  ],
  strategy: {
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    warnings: ({ scheduling }) =>
      Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
        const words = deprecationOf(key);
        return words === undefined ? [] : [`scheduling.nodeSelector: ${words}`];
      }),
  },
});

export const endpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  namespaced: true,
  verbs: ALL_VERBS,
  tracksGeneration: true,
  columns: [
    nameColumn(),
    text(
      'AddressType',
      'addressType specifies the type of address carried by this EndpointSlice.',
      ({ addressType }) => addressType ?? '',
    ),
    text(
      'Ports',
      'ports specifies the list of network ports exposed by each endpoint in this slice.',
      ({ ports }) =>
        shorten(
          (ports ?? []).map(({ port }) => String(port ?? '*')),
          '<unset>',
        ),
    ),
    text('Endpoints', 'endpoints is a list of unique endpoints in this slice.', ({ endpoints }) =>
      shorten(
        (endpoints ?? []).flatMap(({ addresses }) => addresses ?? []),
        '<unset>',
      ),
    ),
    ageColumn(),
  ],
  strategy: { warnings: endpointSliceWarnings },
});

/** The first three, and how many more. */
function shorten(list: string[], empty: string): string {
  if (list.length === 0) return empty;
  const shown = list.slice(0, 3).join(',');
  return list.length > 3 ? `${shown} + ${list.length - 3} more...` : shown;
}
