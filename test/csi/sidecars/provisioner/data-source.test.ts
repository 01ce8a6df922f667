import test from 'ava';
import type { CustomResourceDefinition, PersistentVolumeClaim } from '../../../../api/types.ts';
import type { ApiObject, ResourceId } from '../../../../client/objects.ts';
import { namespaces } from '../../../../client/resources.ts';
import { dataSourceOf } from '../../../../csi/sidecars/provisioner/data-source.ts';
import { IgnoredError, ProvisionError } from '../../../../csi/sidecars/provisioner/states.ts';
import { startTestApiServer } from '../../../client/api-server.ts';
import { until } from '../../../environment.ts';

const claimFor = (spec: PersistentVolumeClaim['spec']): PersistentVolumeClaim => ({
  metadata: { name: 'data', namespace: 'shop' },
  ...(spec === undefined ? {} : { spec }),
});

const snapshotIn = (namespace: string): PersistentVolumeClaim =>
  claimFor({
    dataSourceRef: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'before', namespace },
  });

test('what a claim is filled from, by either field', async (t) => {
  const server = await startTestApiServer();
  t.teardown(() => server.stop());
  const client = await server.admin();
  const find = (spec: PersistentVolumeClaim['spec']) => dataSourceOf(claimFor(spec), client);
  t.is(await find({}), undefined);
  t.deepEqual(await find({ dataSource: { kind: 'PersistentVolumeClaim', name: 'old' } }), {
    kind: 'PersistentVolumeClaim',
    name: 'old',
    namespace: 'shop',
  });
  t.deepEqual(
    await find({ dataSourceRef: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' } }),
    { kind: 'VolumeSnapshot', name: 's', namespace: 'shop' },
  );
  await t.throwsAsync(find({ dataSource: { apiGroup: 'example.com', kind: 'Backup', name: 'b' } }), {
    instanceOf: IgnoredError,
  });
  await t.throwsAsync(find({ dataSource: { apiGroup: 'example.com', kind: 'VolumeSnapshot', name: 'b' } }), {
    instanceOf: ProvisionError,
    message:
      'the PVC source does not belong to the right APIGroup. Expected snapshot.storage.k8s.io, Got example.com',
  });
});

const referenceGrants: ResourceId<ApiObject> = {
  group: 'gateway.networking.k8s.io',
  version: 'v1beta1',
  resource: 'referencegrants',
};
const definitions: ResourceId<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
};

/** Enough of the Gateway API's definition; it is guarded by its group, which asks for an approval. */
const referenceGrantDefinition: CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'referencegrants.gateway.networking.k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' },
  },
  spec: {
    group: 'gateway.networking.k8s.io',
    names: { kind: 'ReferenceGrant', plural: 'referencegrants' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
} as CustomResourceDefinition;

test('a source in another namespace must be granted there', async (t) => {
  const server = await startTestApiServer();
  t.teardown(() => server.stop());
  const client = await server.admin();
  const claim = snapshotIn('vault');
  const refused = {
    instanceOf: ProvisionError,
    message: "accessing vault/before of VolumeSnapshot dataSource from shop/data isn't allowed",
  };
  await t.throwsAsync(dataSourceOf(claim, client), refused);

  await client.resource(definitions).create({ object: referenceGrantDefinition });
  const grant = (name: string, from: string, to: string) => ({
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name, namespace: 'vault' },
    spec: {
      from: [{ group: '', kind: 'PersistentVolumeClaim', namespace: from }],
      to: [{ group: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: to }],
    },
  });
  await client
    .resource(namespaces)
    .create({ object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'vault' } } });
  const grants = client.resource(referenceGrants);
  const create = (object: ApiObject) =>
    until('the grant is made, once its kind is served', () =>
      grants.create({ object }).catch(() => undefined),
    );
  await create(grant('another-namespace', 'market', 'before'));
  await create(grant('another-name', 'shop', 'after'));
  await t.throwsAsync(dataSourceOf(claim, client), refused);
  await create(grant('this', 'shop', 'before'));
  t.deepEqual(await dataSourceOf(claim, client), {
    kind: 'VolumeSnapshot',
    name: 'before',
    namespace: 'vault',
  });
  t.deepEqual(await dataSourceOf(snapshotIn('shop'), client), {
    kind: 'VolumeSnapshot',
    name: 'before',
    namespace: 'shop',
  });
});
