import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Pod } from '../../../api/types.ts';
import type { Client } from '../../../client/rest.ts';
import { nodes, pods } from '../../../client/resources.ts';
import { podGarbageCollector } from '../../../controllers/pod-garbage-collector/pod-garbage-collector.ts';
import { until } from '../../environment.ts';
import { found, startControllerRig } from '../controller-rig.ts';

const startCollector = async (t: ExecutionContext, options: Parameters<typeof podGarbageCollector>[0]) => {
  const rig = await startControllerRig([podGarbageCollector({ intervalMs: 50, ...options })]);
  t.teardown(rig.stop);
  return rig.client;
};

const at = (name: string) => ({ name, namespace: 'default' });

const createPod = async (
  client: Client,
  { name, nodeName, status }: { name: string; nodeName?: string; status?: Pod['status'] },
): Promise<void> => {
  const spec = { containers: [{ name: 'main', image: 'busybox' }], ...(nodeName && { nodeName }) };
  await client.resource(pods).create({ object: { apiVersion: 'v1', kind: 'Pod', metadata: at(name), spec } });
  if (status !== undefined)
    await client
      .resource(pods)
      .patch({ ...at(name), type: 'merge', subresource: 'status', patch: { status } });
};

const podNames = async (client: Client): Promise<string[]> =>
  (await client.resource(pods).list({ namespace: 'default' })).items
    .map(({ metadata }) => metadata?.name ?? '')
    .sort();

test('of too many finished pods the evicted ones go first, then the oldest; who runs stays', async (t) => {
  const client = await startCollector(t, { terminatedThreshold: 3 });
  await createPod(client, { name: 'a-done', status: { phase: 'Succeeded' } });
  await createPod(client, { name: 'b-done', status: { phase: 'Succeeded' } });
  await createPod(client, { name: 'c-failed', status: { phase: 'Failed' } });
  await createPod(client, { name: 'running', status: { phase: 'Running' } });
  await createPod(client, { name: 'z-evicted', status: { phase: 'Failed', reason: 'Evicted' } });
  await until('the evicted one is gone', async () => !(await podNames(client)).includes('z-evicted'));
  t.deepEqual(await podNames(client), ['a-done', 'b-done', 'c-failed', 'running']);
  await createPod(client, { name: 'd-done', status: { phase: 'Succeeded' } });
  await until('the oldest is gone', async () => !(await podNames(client)).includes('a-done'));
  t.deepEqual(await podNames(client), ['b-done', 'c-failed', 'd-done', 'running']);
});

test('a pod that is to go from a node out of service is taken away; one that is not stays', async (t) => {
  const client = await startCollector(t, {});
  const taints = [{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }];
  await client.resource(nodes).create({
    object: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' }, spec: { taints } },
  });
  await createPod(client, { name: 'staying', nodeName: 'node-1' });
  await createPod(client, { name: 'going', nodeName: 'node-1' });
  await client.resource(pods).delete(at('going'));
  await until('it is gone', async () => (await found(client.resource(pods).get(at('going')))) === undefined);
  t.deepEqual(await podNames(client), ['staying']);
});
