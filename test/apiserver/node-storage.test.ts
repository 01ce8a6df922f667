import test from 'ava';
import { makeDefaultAccount, podNamed, PODS, startTestServer } from './test-server.ts';
import type { TestServer } from './test-server.ts';

const PVS = '/api/v1/persistentvolumes';
const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims';
const STORAGE = '/apis/storage.k8s.io/v1';

/** A Pod on node-1 with a claim, bound to a volume with Secrets of the driver; and the same on no node. */
async function prepare(server: TestServer): Promise<void> {
  await makeDefaultAccount(server);
  await server.post('/api/v1/nodes', {
    metadata: {
      name: 'node-1',
      labels: { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r', rack: '1' },
    },
  });
  for (const name of ['stage', 'controller', 'other'])
    await server.post('/api/v1/namespaces/default/secrets', { metadata: { name } });
  for (const name of ['mine', 'other']) {
    const csi = {
      driver: 'd.example.com',
      volumeHandle: name,
      nodeStageSecretRef: { namespace: 'default', name: name === 'mine' ? 'stage' : 'other' },
      controllerPublishSecretRef: { namespace: 'default', name: 'controller' },
    };
    await server.post(PVS, {
      metadata: { name },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        csi,
        claimRef: { namespace: 'default', name },
      },
    });
    await server.post(CLAIMS, {
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        volumeName: name,
      },
    });
    await server.post(`${STORAGE}/volumeattachments`, {
      metadata: { name },
      spec: {
        attacher: 'd.example.com',
        nodeName: name === 'mine' ? 'node-1' : 'node-2',
        source: { persistentVolumeName: name },
      },
    });
  }
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'mine' } }];
  await server.post(PODS, podNamed('p', { volumes }));
  await server.post(`${PODS}/p/binding`, {
    metadata: { name: 'p' },
    target: { kind: 'Node', name: 'node-1' },
  });
}

test('a kubelet sees the claims, volumes, attachments and secrets of its Pods', async (t) => {
  const server = await startTestServer(t);
  await prepare(server);
  const as = await server.identity('system:node:node-1', ['system:nodes']);
  const get = async (path: string) => (await server.get(path, { as })).status;
  for (const path of [CLAIMS, PVS, `${STORAGE}/volumeattachments`]) {
    t.is(await get(`${path}/mine`), 200, path);
    t.is(await get(`${path}/other`), 403, path);
    t.is(await get(path), 403, path);
  }
  const secrets = '/api/v1/namespaces/default/secrets';
  t.is(await get(`${secrets}/stage`), 200);
  t.is(await get(`${secrets}/other`), 403);
  t.is(await get(`${secrets}/controller`), 403);
  t.is(await get(`${STORAGE}/csidrivers`), 200);
  const { body } = await server.get(`${PVS}/other`, { as });
  t.is(
    body.message,
    `persistentvolumes "other" is forbidden: User "system:node:node-1" cannot get resource "persistentvolumes" in API group "" at the cluster scope: no relationship found between node 'node-1' and this object`,
  );
});

test('a kubelet writes its CSINode and how the growth of a claim goes', async (t) => {
  const server = await startTestServer(t);
  await prepare(server);
  const as = await server.identity('system:node:node-1', ['system:nodes']);
  const csiNode = (name: string) => ({ metadata: { name }, spec: { drivers: [] } });
  t.is((await server.post(`${STORAGE}/csinodes`, csiNode('node-1'), { as })).status, 201);
  const foreign = await server.post(`${STORAGE}/csinodes`, csiNode('node-2'), { as });
  t.is(
    foreign.body.message,
    'csinodes.storage.k8s.io "node-2" is forbidden: can only access CSINode with the same name as the requesting node',
  );
  t.is((await server.get(`${STORAGE}/csinodes/node-2`, { as })).status, 403);
  const grow = (name: string, body: object) =>
    server.patch(`${CLAIMS}/${name}/status`, body, 'application/merge-patch+json', { as });
  const grown = await grow('mine', { status: { capacity: { storage: '2Gi' } } });
  t.is(grown.body.status.capacity.storage, '2Gi');
  t.is((await grow('other', { status: { capacity: { storage: '2Gi' } } })).status, 403);
  const bound = await grow('mine', { status: { phase: 'Lost' } });
  t.is(bound.status, 403);
  t.regex(
    bound.body.message,
    /node "node-1" is not allowed to update fields other than status\.quantity and status\.conditions: /,
  );
});

test('region and zone of the node are copied to its Pods', async (t) => {
  const server = await startTestServer(t);
  await prepare(server);
  const { body } = await server.get(`${PODS}/p`);
  t.deepEqual(body.metadata.labels, {
    'topology.kubernetes.io/region': 'r',
    'topology.kubernetes.io/zone': 'z',
  });
  const placed = await server.post(PODS, podNamed('q', { nodeName: 'node-1' }));
  t.is(placed.body.metadata.labels['topology.kubernetes.io/zone'], 'z');
  t.is((await server.post(PODS, podNamed('r'))).body.metadata.labels, undefined);
});
