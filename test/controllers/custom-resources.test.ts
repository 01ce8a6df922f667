import test from 'ava';
import type { CustomResourceDefinition } from '../../api/types.ts';
import type { ApiObject } from '../../client/objects.ts';
import { configMaps, customResourceDefinitions, namespaces } from '../../client/resources.ts';
import { garbageCollector } from '../../controllers/garbage-collector/garbage-collector.ts';
import { namespaceController } from '../../controllers/namespace/namespace-controller.ts';
import { definitionOf, versionOf, widget } from '../apiserver/custom-resources/definitions.ts';
import { until } from '../environment.ts';
import { found, startControllerRig } from './controller-rig.ts';

const widgets = { group: 'example.com', version: 'v1', resource: 'widgets' };

test('objects of a kind that came later are owners, and go with their namespace', async (t) => {
  const { client, stop } = await startControllerRig([garbageCollector, namespaceController]);
  t.teardown(stop);
  const maps = client.resource(configMaps);
  const mapOf = (name: string, namespace: string) => found(maps.get({ name, namespace }));
  await client.resource(namespaces).create({ object: { metadata: { name: 'rr-dying' } } });
  const older = versionOf(undefined, { name: 'v1beta1', storage: false });
  const definition: CustomResourceDefinition = definitionOf([versionOf(), older]);
  await client.resource(customResourceDefinitions).create({ object: definition });
  const resource = client.resource<ApiObject>(widgets);
  const [owner] = await Promise.all(
    ['default', 'rr-dying'].map((namespace) =>
      resource.create({ object: { ...widget('owner'), metadata: { name: 'owner', namespace } } }),
    ),
  );
  const versions = ['v1', 'v1beta1'];
  for (const version of versions) {
    const reference = {
      apiVersion: `example.com/${version}`,
      kind: 'Widget',
      name: 'owner',
      uid: owner?.metadata?.uid ?? '',
    };
    const metadata = { name: `owned-${version}`, namespace: 'default', ownerReferences: [reference] };
    await maps.create({ object: { metadata } });
  }

  await resource.delete({ name: 'owner', namespace: 'default' });
  for (const version of versions)
    await until(
      `the object is gone whose owner was called by ${version}`,
      async () => (await mapOf(`owned-${version}`, 'default')) === undefined,
    );

  await client.resource(namespaces).delete({ name: 'rr-dying' });
  await until(
    'the namespace is gone',
    async () => (await found(client.resource(namespaces).get({ name: 'rr-dying' }))) === undefined,
  );
  t.is(await found(resource.get({ name: 'owner', namespace: 'rr-dying' })), undefined);
});
