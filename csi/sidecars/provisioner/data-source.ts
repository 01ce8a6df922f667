import type { PersistentVolumeClaim } from '../../../api/types.ts';
import { isNotFound } from '../../../client/errors.ts';
import type { ApiObject, ResourceId } from '../../../client/objects.ts';
import type { Client } from '../../../client/rest.ts';
import { snapshotGroup } from '../../snapshots/resources.ts';
import { IgnoredError, ProvisionError } from './states.ts';

/** What a claim is to be filled with at its making. */
export interface DataSource {
  kind: 'VolumeSnapshot' | 'PersistentVolumeClaim';
  name: string;
  namespace: string;
}

interface ReferenceGrant extends ApiObject {
  spec?: {
    from: { group: string; kind: string; namespace: string }[];
    to: { group: string; kind: string; name?: string }[];
  };
}

const referenceGrants: ResourceId<ReferenceGrant> = {
  group: 'gateway.networking.k8s.io',
  version: 'v1beta1',
  resource: 'referencegrants',
};

/** What a claim names as its source, of whatever kind: its dataSource, else its dataSourceRef, which may be in another namespace. */
export const namedSource = ({ metadata, spec }: PersistentVolumeClaim) => {
  const { dataSource, dataSourceRef } = spec ?? {};
  const named = dataSource ?? dataSourceRef;
  if (named === undefined) return undefined;
  const { kind, name, apiGroup = '' } = named;
  const elsewhere = dataSource === undefined ? (dataSourceRef?.namespace ?? '') : '';
  return { kind, name, apiGroup, namespace: elsewhere === '' ? (metadata?.namespace ?? '') : elsewhere };
};

/**
 * What a claim is to be filled with; undefined when it is to be empty. A source in another namespace needs a ReferenceGrant
 * there. Rejects with IgnoredError for kinds that a populator fills, with ProvisionError for what can't be a source.
 */
export async function dataSourceOf(
  claim: PersistentVolumeClaim,
  client: Client,
): Promise<DataSource | undefined> {
  const source = namedSource(claim);
  if (source === undefined) return undefined;
  const { kind, name, apiGroup, namespace } = source;
  if (namespace !== (claim.metadata?.namespace ?? '')) await refuseUngranted(claim, { client, namespace });
  if (name === '') throw unfit(`the PVC source not found for PVC ${claim.metadata?.name}`);
  if (kind === 'PersistentVolumeClaim' && apiGroup === '') return { kind, name, namespace };
  if (kind !== 'VolumeSnapshot')
    throw new IgnoredError(
      `data source (${kind}) is not handled by the provisioner, assuming an external populator will provision it`,
    );
  if (apiGroup === snapshotGroup) return { kind, name, namespace };
  throw unfit(
    `the PVC source does not belong to the right APIGroup. Expected ${snapshotGroup}, Got ${apiGroup}`,
  );
}

const unfit = (why: string) => new ProvisionError('finished', why);

async function refuseUngranted(
  claim: PersistentVolumeClaim,
  { client, namespace }: { client: Client; namespace: string },
): Promise<void> {
  const reference = claim.spec?.dataSourceRef;
  if (reference === undefined) return;
  const { items } = await client
    .resource(referenceGrants)
    .list({ namespace })
    .catch((error: unknown) => {
      // The Gateway API isn't installed: then nobody can have granted anything.
      if (isNotFound(error)) return { items: [] };
      throw error;
    });
  const { name: claimName, namespace: own } = claim.metadata ?? {};
  const granted = items.some(
    ({ spec }) =>
      spec?.from.some(
        (from) => from.group === '' && from.kind === 'PersistentVolumeClaim' && from.namespace === own,
      ) &&
      spec.to.some(
        (to) =>
          to.group === (reference.apiGroup ?? '') &&
          to.kind === reference.kind &&
          ['', reference.name].includes(to.name ?? ''),
      ),
  );
  if (granted) return;
  throw unfit(
    `accessing ${namespace}/${reference.name} of ${reference.kind} dataSource from ${own}/${claimName} isn't allowed`,
  );
}
