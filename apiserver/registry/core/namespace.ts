import type { Namespace } from '../../../api/types.ts';
import { conflictError } from '../../http/errors.ts';
import type { ApiObject } from '../kind.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { ageColumn, nameColumn, text } from '../printers/columns.ts';
import { timestamp } from '../../endpoints/timestamp.ts';

const FINALIZER = 'kubernetes';

function prepareForCreate(namespace: Namespace): void {
  const finalizers = namespace.spec?.finalizers ?? [];
  namespace.spec = {
    ...namespace.spec,
    finalizers: finalizers.includes(FINALIZER) ? finalizers : [...finalizers, FINALIZER],
  };
  namespace.status = { phase: 'Active' };
}

function prepareForUpdate(namespace: Namespace, old: Namespace): void {
  if (old.spec !== undefined) namespace.spec = old.spec;
  if (old.status !== undefined) namespace.status = old.status;
}

/**
 * The first DELETE makes the namespace Terminating; it goes when the namespace controller has emptied it and taken the last finalizer
 * through /finalize (upstream: registry/core/namespace/storage).
 */
function beginDeletion(namespace: Namespace, now: Date): 'remove' | { write: ApiObject } {
  const { metadata = {}, spec } = namespace;
  const waiting = (spec?.finalizers ?? []).length > 0 || (metadata.finalizers ?? []).length > 0;
  if (!waiting) return 'remove';
  if (metadata.deletionTimestamp !== undefined) {
    const why =
      'The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will automatically be purged by the system.';
    throw conflictError(namespaceKind, metadata.name ?? '', why);
  }
  metadata.deletionTimestamp = timestamp(now);
  namespace.status = { ...namespace.status, phase: 'Terminating' };
  return { write: namespace as unknown as ApiObject };
}

export const namespaceKind = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  namespaced: false,
  verbs: ALL_VERBS.filter((verb) => verb !== 'deletecollection'),
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text('Status', 'The status of the namespace', ({ status }) => status?.phase ?? ''),
    ageColumn(),
  ],
  strategy: { prepareForCreate, prepareForUpdate, beginDeletion },
  subresources: [
    {
      name: 'finalize',
      kind: 'Namespace',
      verbs: ['update'],
      strategy: {
        prepareForUpdate: (namespace, old) => {
          if (old.status !== undefined) namespace.status = old.status;
        },
      },
    },
    {
      name: 'status',
      kind: 'Namespace',
      verbs: ['get', 'patch', 'update'],
      strategy: {
        prepareForUpdate: (namespace, old) => {
          if (old.spec !== undefined) namespace.spec = old.spec;
        },
      },
    },
  ],
  selectableFields: ({ metadata, status }) => ({
    name: metadata?.name ?? '',
    'status.phase': status?.phase ?? '',
  }),
});
