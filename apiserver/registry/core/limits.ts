import type { LimitRange, ResourceQuota } from '../../../api/types.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { ageColumn, nameColumn, text } from '../printers/columns.ts';

/** "cpu: 1/2, memory: 1Gi/2Gi": used and hard of the limits, or of all else. */
function amounts({ status }: ResourceQuota, ofLimits: boolean): string {
  const names = Object.keys(status?.hard ?? {}).toSorted();
  return names
    .filter((name) => name.startsWith('limits.') === ofLimits)
    .map((name) => `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name] ?? '0'}`)
    .join(', ');
}

export const resourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  namespaced: true,
  verbs: ALL_VERBS,
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text(
      'Request',
      'Request represents a minimum amount of cpu/memory that a container may consume.',
      (quota) => amounts(quota, false),
    ),
    text(
      'Limit',
      'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
      (quota) => amounts(quota, true),
    ),
    ageColumn(),
  ],
  strategy: {
    prepareForCreate: (quota) => {
      quota.status = {};
    },
    prepareForUpdate: (quota, old) => {
      if (old.status !== undefined) quota.status = old.status;
    },
  },
  subresources: [
    {
      name: 'status',
      kind: 'ResourceQuota',
      verbs: ['get', 'patch', 'update'],
      strategy: {
        prepareForUpdate: (quota, old) => {
          if (old.spec !== undefined) quota.spec = old.spec;
        },
      },
    },
  ],
});

export const limitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  namespaced: true,
  verbs: ALL_VERBS,
  strategy: { allowCreateOnUpdate: true },
});
