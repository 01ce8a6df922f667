import type { CustomResourceDefinition } from '../../api/types.ts';
import { timestamp } from '../endpoints/timestamp.ts';
import type { ApiObject } from '../registry/kind.ts';
import { ALL_VERBS, defineKind } from '../registry/kind.ts';
import { CLEANUP_FINALIZER, setCondition } from './conditions.ts';
import { definitionWarnings } from './warnings.ts';

/** A version that is stored now belongs to the versions that objects may be stored in. */
function noteStoredVersion(definition: CustomResourceDefinition): void {
  const version = definition.spec.versions.find(({ storage }) => storage)?.name;
  const stored = definition.status?.storedVersions ?? [];
  if (version === undefined || stored.includes(version)) return;
  definition.status = { ...definition.status, storedVersions: [...stored, version] };
}

function prepareForCreate(definition: CustomResourceDefinition): void {
  delete definition.status;
  noteStoredVersion(definition);
}

function prepareForUpdate(definition: CustomResourceDefinition, old: CustomResourceDefinition): void {
  if (old.status === undefined) delete definition.status;
  else definition.status = structuredClone(old.status);
  noteStoredVersion(definition);
}

/** The first DELETE says that the objects go first; the definition follows them (upstream: registry/customresourcedefinition/etcd.go). */
function beginDeletion(definition: CustomResourceDefinition, now: Date): { write: ApiObject } | undefined {
  const { metadata = {} } = definition;
  if (metadata.deletionTimestamp !== undefined) return undefined;
  const finalizers = metadata.finalizers ?? [];
  metadata.deletionTimestamp = timestamp(now);
  metadata.deletionGracePeriodSeconds = 0;
  if (!finalizers.includes(CLEANUP_FINALIZER)) metadata.finalizers = [...finalizers, CLEANUP_FINALIZER];
  const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon';
  setCondition(
    definition,
    { type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending', message },
    now,
  );
  return { write: definition as unknown as ApiObject };
}

/** What defines a custom resource. */
export const customResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  verbs: ALL_VERBS,
  tracksGeneration: true,
  strategy: {
    prepareForCreate,
    prepareForUpdate,
    beginDeletion,
    warnings: definitionWarnings,
    allowUnconditionalUpdate: false,
  },
  subresources: [
    {
      name: 'status',
      kind: 'CustomResourceDefinition',
      verbs: ['get', 'patch', 'update'],
      strategy: {
        prepareForUpdate: (definition, old) => {
          definition.spec = old.spec;
        },
      },
    },
  ],
});
