import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { NodePublishVolumeRequest, NodeStageVolumeRequest } from '../../../../csi/types.ts';
import { persistentVolumeClaims, persistentVolumes, secrets } from '../../../../client/resources.ts';
import { inlineHandle } from '../../../../kubelet/volumes/csi/paths.ts';
import type { CreateContainerRequest } from '../../../../runtime/cri/types.ts';
import { until } from '../../../environment.ts';
import { startStorageBench } from './storage-bench.ts';
import type { StorageBench } from './storage-bench.ts';

const makeSecret = ({ client }: StorageBench, name: string, data: Record<string, string>) =>
  client.resource(secrets).create({
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'default' },
      data: Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      ),
    },
  });

test('secrets, Pod info and tokens go where the CSIDriver and the volume say', async (t) => {
  const bench = await startStorageBench(t, {
    driverSpec: {
      attachRequired: false,
      podInfoOnMount: true,
      tokenRequests: [{ audience: 'vault', expirationSeconds: 900 }],
    },
  });
  const { driver } = bench;
  await makeSecret(bench, 'stage', { key: 's1' });
  await makeSecret(bench, 'publish', { key: 's2' });
  const reference = (name: string) => ({ name, namespace: 'default' });
  await bench.makeVolume('data', {
    csi: {
      volumeAttributes: { colour: 'blue' },
      nodeStageSecretRef: reference('stage'),
      nodePublishSecretRef: reference('publish'),
    },
  });
  const pod = await bench.makePod('one', ['data'], { serviceAccountName: 'default' });
  await bench.running('one');
  t.like(driver.requestOf<NodeStageVolumeRequest>('stage'), {
    secrets: { key: 's1' },
    volumeContext: { colour: 'blue' },
  });
  const { volumeContext, secrets: given } = driver.requestOf<NodePublishVolumeRequest>('publish');
  t.deepEqual(given, { key: 's2' });
  const { 'csi.storage.k8s.io/serviceAccount.tokens': tokens = '', ...context } = volumeContext;
  t.deepEqual(context, {
    colour: 'blue',
    'csi.storage.k8s.io/pod.name': 'one',
    'csi.storage.k8s.io/pod.namespace': 'default',
    'csi.storage.k8s.io/pod.uid': pod.metadata?.uid ?? '',
    'csi.storage.k8s.io/serviceAccount.name': 'default',
    'csi.storage.k8s.io/ephemeral': 'false',
  });
  const byAudience = JSON.parse(tokens) as Record<string, { token: string; expirationTimestamp: string }>;
  t.deepEqual(Object.keys(byAudience), ['vault']);
  t.regex(byAudience['vault']?.token ?? '', /^ey/);
  t.regex(byAudience['vault']?.expirationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('a missing secret is told, and the volume comes when it is there', async (t) => {
  const bench = await startStorageBench(t, { driverSpec: { attachRequired: false } });
  await bench.makeVolume('data', { csi: { nodeStageSecretRef: { name: 'none', namespace: 'default' } } });
  await bench.makePod('one', ['data']);
  const event = await bench.eventUntil('one', ({ message = '' }) => message.includes('NodeStageSecretRef'));
  t.is(
    event.message,
    'MountVolume.MountDevice failed for volume "data" : fetching NodeStageSecretRef default/none failed: kubernetes.io/csi: failed to find the secret none in the namespace default with error: secrets "none" not found',
  );
  await makeSecret(bench, 'none', { a: 'b' });
  await bench.running('one');
});

test('an inline volume is published only, with a handle of its own, and republished when the driver asks', async (t) => {
  const bench = await startStorageBench(t, {
    driverSpec: {
      volumeLifecycleModes: ['Ephemeral'],
      podInfoOnMount: true,
      requiresRepublish: true,
    },
  });
  const { driver } = bench;
  const pod = await bench.createPod({
    metadata: { name: 'inline' },
    spec: {
      terminationGracePeriodSeconds: 1,
      volumes: [{ name: 'scratch', csi: { driver: driver.name, volumeAttributes: { size: '1' } } }],
      containers: [
        { name: 'main', image: 'busybox', volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] },
      ],
    },
  });
  await bench.running('inline');
  t.deepEqual(driver.rpcs(), ['publish']);
  const handle = inlineHandle(pod.metadata?.uid ?? '', 'scratch');
  t.like(driver.requestOf<NodePublishVolumeRequest>('publish'), {
    volumeId: handle,
    stagingTargetPath: '',
    volumeContext: { size: '1', 'csi.storage.k8s.io/ephemeral': 'true' },
  });
  t.deepEqual(await bench.volumesInUse(), []);
  // After a restart it is published again, because the driver wants that; nothing is mounted twice.
  await bench.restartKubelet();
  await until('again', () => driver.rpcs().length === 2);
  t.is(bench.mounts().length, 1);
  await bench.deletePod('inline');
  t.deepEqual(driver.rpcs(), ['publish', 'publish', 'unpublish']);
  t.deepEqual(bench.mounts(), []);
});

test('an inline volume of a driver that has none is refused', async (t) => {
  const bench = await startStorageBench(t, { driverSpec: { volumeLifecycleModes: ['Persistent'] } });
  const { driver } = bench;
  await bench.createPod({
    metadata: { name: 'inline' },
    spec: {
      volumes: [{ name: 'scratch', csi: { driver: driver.name } }],
      containers: [
        { name: 'main', image: 'busybox', volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] },
      ],
    },
  });
  const event = await bench.eventUntil('inline', ({ reason }) => reason === 'FailedMount');
  t.is(
    event.message,
    `MountVolume.SetUp failed for volume "scratch" : kubernetes.io/csi: mounter.SetupAt failed to check volume lifecycle mode: volume mode "Ephemeral" not supported by driver ${driver.name} (only supports ["Persistent"])`,
  );
  t.deepEqual(driver.calls, []);
});

for (const { policy, fsType, taken } of [
  { policy: undefined, fsType: 'ext4', taken: true },
  { policy: 'ReadWriteOnceWithFSType', fsType: '', taken: false },
  { policy: 'File', fsType: '', taken: true },
  { policy: 'None', fsType: 'ext4', taken: false },
]) {
  test(`fsGroup with policy ${policy ?? 'of no choice'} and fsType '${fsType}': ${taken ? 'taken' : 'left alone'}`, async (t) => {
    const bench = await startStorageBench(t, {
      driverSpec: { attachRequired: false, ...(policy === undefined ? {} : { fsGroupPolicy: policy }) },
    });
    await bench.makeVolume('data', { csi: { fsType } });
    const pod = await bench.makePod('one', ['data'], { securityContext: { fsGroup: 4711 } });
    await bench.running('one');
    const target = join(bench.rootDir, `pods/${pod.metadata?.uid}/volumes/kubernetes.io~csi/data/mount`);
    t.is(statSync(target).gid, taken ? 4711 : 0);
  });
}

test('fsGroup is the driver’s to apply when it says so', async (t) => {
  const bench = await startStorageBench(t, {
    driver: { capabilities: ['STAGE_UNSTAGE_VOLUME', 'VOLUME_MOUNT_GROUP', 'SINGLE_NODE_MULTI_WRITER'] },
    driverSpec: { attachRequired: false },
  });
  const { driver } = bench;
  await bench.makeVolume('data');
  const pod = await bench.makePod('one', ['data'], { securityContext: { fsGroup: 4711 } });
  await bench.running('one');
  const target = join(bench.rootDir, `pods/${pod.metadata?.uid}/volumes/kubernetes.io~csi/data/mount`);
  t.is(statSync(target).gid, 0);
  const mount = { fsType: 'ext4', volumeMountGroup: '4711' };
  const volumeCapability = { mount, accessMode: { mode: 'SINGLE_NODE_MULTI_WRITER' } };
  t.like(driver.requestOf<NodeStageVolumeRequest>('stage'), { volumeCapability });
  t.like(driver.requestOf<NodePublishVolumeRequest>('publish'), { volumeCapability });
});

test('read-only claims: the driver and the container are told', async (t) => {
  const bench = await startStorageBench(t, { driverSpec: { attachRequired: false } });
  const { driver } = bench;
  await bench.makeVolume('data');
  await bench.makePod('reads', [], {
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data', readOnly: true } }],
    containers: [{ name: 'main', image: 'busybox', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
  });
  await bench.running('reads');
  t.true(driver.requestOf<NodePublishVolumeRequest>('publish').readonly);
  const created = bench.cri.calls.find(({ method }) => method === 'CreateContainer');
  const { config } = (created?.request ?? {}) as Partial<CreateContainerRequest>;
  t.true(config?.mounts.find(({ containerPath }) => containerPath === '/v')?.readonly);
});

test('a subPath of a claim is bound, and goes before the volume', async (t) => {
  const bench = await startStorageBench(t, { driverSpec: { attachRequired: false } });
  await bench.makeVolume('data');
  const pod = await bench.makePod('one', [], {
    terminationGracePeriodSeconds: 1,
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
    containers: [
      {
        name: 'main',
        image: 'busybox',
        volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'deep/inside' }],
      },
    ],
  });
  await bench.running('one');
  const { uid } = pod.metadata ?? {};
  t.true(bench.mounts().includes(`pods/${uid}/volume-subpaths/data/main/0`));
  const target = join(bench.rootDir, `pods/${uid}/volumes/kubernetes.io~csi/data/mount/deep/inside`);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'file'), 'x');
  await bench.deletePod('one');
  await until('unstaged', () => bench.mounts().length === 0);
  t.deepEqual(bench.driver.rpcs(), ['stage', 'publish', 'unpublish', 'unstage']);
});

test('two volumes of a Pod may be the same claim; a driver without staging publishes only', async (t) => {
  const bench = await startStorageBench(t, {
    driver: { capabilities: [] },
    driverSpec: { attachRequired: false },
  });
  const { driver } = bench;
  await bench.makeVolume('data');
  await bench.makePod('twice', [], {
    terminationGracePeriodSeconds: 1,
    volumes: ['a', 'b'].map((name) => ({ name, persistentVolumeClaim: { claimName: 'data' } })),
    containers: [
      {
        name: 'main',
        image: 'busybox',
        volumeMounts: ['a', 'b'].map((name) => ({ name, mountPath: `/${name}` })),
      },
    ],
  });
  await bench.running('twice');
  t.deepEqual(driver.rpcs(), ['publish']);
  t.is(driver.requestOf<NodePublishVolumeRequest>('publish').stagingTargetPath, '');
  await bench.deletePod('twice');
  t.deepEqual(driver.rpcs(), ['publish', 'unpublish']);
});

test('a generic ephemeral volume is the Pod’s own claim, or nobody’s', async (t) => {
  const bench = await startStorageBench(t, { driverSpec: { attachRequired: false } });
  const volume = {
    name: 'v',
    ephemeral: {
      volumeClaimTemplate: {
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    },
  };
  const pod = await bench.makePod('eph', [], {
    volumes: [volume],
    containers: [{ name: 'main', image: 'busybox', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
  });
  // Somebody else's claim of the very name.
  await bench.makeVolume('eph-v');
  const event = await bench.eventUntil('eph', ({ message = '' }) => message.includes('pod is not owner'));
  t.true(
    event.message?.endsWith(
      'failed to process volumes=[v]: PVC default/eph-v was not created for pod default/eph (pod is not owner)',
    ),
  );
  const owner = {
    apiVersion: 'v1',
    kind: 'Pod',
    name: 'eph',
    uid: pod.metadata?.uid ?? '',
    controller: true,
  };
  await bench.client.resource(persistentVolumeClaims).patch({
    name: 'eph-v',
    namespace: 'default',
    type: 'merge',
    patch: { metadata: { ownerReferences: [owner] } },
  });
  await bench.running('eph');
});

test('the group of a volume becomes a group of the Pod; a cloud’s in-tree disk goes to its CSI driver', async (t) => {
  const name = 'pd.csi.storage.gke.io';
  const bench = await startStorageBench(t, { driver: { name }, driverSpec: { attachRequired: false } });
  const { driver, client } = bench;
  await bench.makeVolume('data');
  await client.resource(persistentVolumes).patch({
    name: 'data',
    type: 'merge',
    patch: { metadata: { annotations: { 'pv.beta.kubernetes.io/gid': '4712' } } },
  });
  await bench.makePod('one', [], {
    terminationGracePeriodSeconds: 1,
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'disk', gcePersistentDisk: { pdName: 'disk-1', fsType: 'ext4' } },
    ],
    containers: [
      {
        name: 'main',
        image: 'busybox',
        volumeMounts: ['data', 'disk'].map((volume) => ({ name: volume, mountPath: `/${volume}` })),
      },
    ],
  });
  await bench.running('one');
  const created = bench.cri.calls.find(({ method }) => method === 'CreateContainer');
  const { config } = (created?.request ?? {}) as Partial<CreateContainerRequest>;
  t.deepEqual(config?.linux?.securityContext?.supplementalGroups, [4712]);
  const staged = driver.calls.filter(({ rpc }) => rpc === 'stage').map(({ request }) => request);
  const handles = (staged as NodeStageVolumeRequest[]).map(({ volumeId }) => volumeId);
  t.true(handles.includes('handle-data'));
  t.true(handles.includes('projects/UNSPECIFIED/zones/UNSPECIFIED/disks/disk-1'));
  await bench.deletePod('one');
  await until('unstaged', () => bench.mounts().length === 0);
});
