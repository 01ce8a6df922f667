import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';
import type { NodeSelectorRequirement, PersistentVolume, PodSpec, StorageClass } from '../../api/types.ts';
import {
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
  volumeAttachments,
} from '../../client/resources.ts';
import { startCluster } from '../../cluster/index.ts';
import { tracesOf, until } from '../environment.ts';
import { forever, podBench } from './pods/pod-bench.ts';
import type { PodBench } from './pods/pod-bench.ts';
import { takeDown } from './take-down.ts';

/** Where Pods with disks land in a cluster of two zones, seen from outside: node-1 (tainted) and node-2 in b, node-3 in c. */
const test = anyTest as TestFn;
const name = `ff-t${process.pid}`;
const zoneLabel = 'topology.kubernetes.io/zone';
const [zoneB, zoneC, zoneD] = ['cn-hangzhou-b', 'cn-hangzhou-c', 'cn-hangzhou-d'] as const;
const namespace = 'default';
let bench: PodBench;

test.before(async () => {
  bench = await podBench(await startCluster({ name, nodes: 3, zones: [zoneB, zoneC] }));
  await bench.client.resource(storageClasses).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'local' },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
    },
  });
});
test.after.always(async (t) => {
  bench?.client.close();
  await takeDown(t, bench?.cluster);
  t.deepEqual(tracesOf(`/${name}/`, ['loopDevices', 'mounts']), {});
});

const aClass = (className: string, { zone, ...more }: { zone: string } & Partial<StorageClass>) =>
  bench.client.resource(storageClasses).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: className },
      provisioner: 'loop-disk.csi.podwright.io',
      volumeBindingMode: 'WaitForFirstConsumer',
      allowedTopologies: [{ matchLabelExpressions: [{ key: zoneLabel, values: [zone] }] }],
      ...more,
    },
  });

const aClaim = (
  claimName: string,
  storageClassName: string,
  { accessMode = 'ReadWriteOnce', size = '64Mi' } = {},
) =>
  bench.client.resource(persistentVolumeClaims).create({
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: claimName, namespace },
      spec: {
        storageClassName,
        accessModes: [accessMode],
        resources: { requests: { storage: size } },
      },
    },
  });

const container = {
  name: 'main',
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c', `echo here > /data/proof; ${forever}`],
  volumeMounts: [{ name: 'data', mountPath: '/data' }],
};

const aPod = (podName: string, claimName: string, more: Partial<PodSpec> = {}) =>
  bench.create(podName, {
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    containers: [container],
    ...more,
  });

/** A folder as a volume, on the nodes with these labels. */
const aLocalVolume = (
  volumeName: string,
  { path, matchExpressions }: { path: string; matchExpressions: NodeSelectorRequirement[] },
) =>
  bench.client.resource(persistentVolumes).create({
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volumeName },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'local',
        persistentVolumeReclaimPolicy: 'Retain',
        local: { path },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
      },
    },
  });

/** Resolves when the scheduler has refused the Pod with exactly these words. */
const refused = async (t: ExecutionContext, podName: string, words: string): Promise<void> => {
  await bench.eventUntil(
    t,
    podName,
    ({ reason, message }) => reason === 'FailedScheduling' && message === words,
  );
  t.pass();
};

const nodeOf = async (podName: string) => (await bench.pod(podName)).spec?.nodeName;

const volumeOf = async (claimName: string): Promise<PersistentVolume> => {
  const claim = await bench.client.resource(persistentVolumeClaims).get({ name: claimName, namespace });
  return bench.client.resource(persistentVolumes).get({ name: claim.spec?.volumeName ?? '' });
};

const attachmentOf = async (volume: PersistentVolume) =>
  (await bench.client.resource(volumeAttachments).list()).items.find(
    ({ spec }) => spec.source.persistentVolumeName === volume.metadata?.name,
  );

const notHelpful = 'preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.';

test.serial('nodes carry region and zone by new and old names', async (t) => {
  const { items } = await bench.client.resource(nodes).list();
  const zonesOf = (key: string) => items.map(({ metadata }) => metadata?.labels?.[key]);
  t.deepEqual(zonesOf(zoneLabel), [zoneB, zoneB, zoneC]);
  t.deepEqual(zonesOf('failure-domain.beta.kubernetes.io/zone'), [zoneB, zoneB, zoneC]);
  t.deepEqual(new Set(zonesOf('topology.kubernetes.io/region')), new Set(['cn-hangzhou']));
});

test.serial('a zone without nodes, then one that has some', async (t) => {
  await aClass('disk', { zone: zoneD });
  await aClaim('data', 'disk');
  await aPod('web', 'data');
  const words =
    "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't find available persistent volumes to bind. ";
  await refused(t, 'web', words + notHelpful);
  const claim = () => bench.client.resource(persistentVolumeClaims).get({ name: 'data', namespace });
  t.is((await claim()).status?.phase, 'Pending');

  await bench.client.resource(storageClasses).delete({ name: 'disk' });
  await aClass('disk', { zone: zoneB });
  await bench.running(t, 'web');
  t.is(await nodeOf('web'), 'node-2');
  t.is((await claim()).metadata?.annotations?.['volume.kubernetes.io/selected-node'], 'node-2');
  const volume = await volumeOf('data');
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const zones = terms.flatMap(({ matchExpressions = [] }) =>
    matchExpressions.filter(({ key }) => key === zoneLabel).map(({ values }) => values),
  );
  t.deepEqual(zones, [[zoneB]]);
  const attachment = await attachmentOf(volume);
  t.like(attachment?.spec, { attacher: 'loop-disk.csi.podwright.io', nodeName: 'node-2' });
  t.is(
    (tracesOf(`/${name}/`, ['loopDevices']).loopDevices ?? []).filter((line) => line.includes(zoneB)).length,
    1,
  );
});

test.serial('a Pod that must be elsewhere than its volume waits, and says why', async (t) => {
  await aPod('far', 'data', { nodeSelector: { [zoneLabel]: zoneC } });
  await refused(
    t,
    'far',
    "0/3 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, " +
      "1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s). " +
      notHelpful,
  );
  await bench.remove('far');
});

test.serial('a Pod that is made anew follows its volume', async (t) => {
  await bench.remove('web');
  await bench.gone('web');
  await aPod('web', 'data');
  await bench.running(t, 'web');
  t.is(await nodeOf('web'), 'node-2');
  await bench.remove('web');
  await bench.gone('web');
});

test.serial('a claim for one Pod alone', async (t) => {
  await aClass('other', { zone: zoneC });
  await aClaim('alone', 'other', { accessMode: 'ReadWriteOncePod' });
  await aPod('first', 'alone');
  await bench.running(t, 'first');
  t.is(await nodeOf('first'), 'node-3');
  await aPod('second', 'alone');
  await refused(
    t,
    'second',
    '0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) unavailable due to PersistentVolumeClaim ' +
      'with ReadWriteOncePod access mode already in-use by another pod. preemption: 0/3 nodes are available: ' +
      '1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.',
  );
  await bench.remove('first');
  await bench.running(t, 'second');
  await bench.remove('second');
  await bench.gone('second');
});

test.serial('a disk larger than the cloud has room for', async (t) => {
  await aClaim('huge', 'other', { size: '4Pi' });
  await aPod('huge', 'huge');
  await refused(
    t,
    'huge',
    '0/3 nodes are available: 1 node(s) did not have enough free storage, ' +
      "1 node(s) didn't find available persistent volumes to bind, 1 node(s) had untolerated taint(s). " +
      notHelpful,
  );
  await bench.remove('huge');
});

test.serial('a class of an in-tree plugin makes disks in its zone', async (t) => {
  await aClass('ebs', { zone: zoneC, provisioner: 'kubernetes.io/aws-ebs' });
  await aClaim('ebs', 'ebs');
  await aPod('ebs', 'ebs');
  await bench.running(t, 'ebs');
  t.is(await nodeOf('ebs'), 'node-3');
  const volume = await volumeOf('ebs');
  t.regex(volume.spec?.awsElasticBlockStore?.volumeID ?? '', /^vol-/);
  t.is(volume.metadata?.labels?.[zoneLabel], zoneC);
  t.like((await attachmentOf(volume))?.spec, { attacher: 'ebs.csi.aws.com', nodeName: 'node-3' });
  await bench.remove('ebs');
  await bench.gone('ebs');
});

test.serial('a disk that was kept is found again by name and old zone label', async (t) => {
  await aClass('gce', { zone: zoneC, provisioner: 'kubernetes.io/gce-pd', reclaimPolicy: 'Retain' });
  await aClaim('gce', 'gce');
  await aPod('gce', 'gce');
  await bench.running(t, 'gce');
  const volume = await volumeOf('gce');
  const pdName = volume.spec?.gcePersistentDisk?.pdName ?? '';
  t.not(pdName, '');
  await bench.remove('gce');
  await bench.gone('gce');
  await bench.client.resource(persistentVolumeClaims).delete({ name: 'gce', namespace });
  await bench.client.resource(persistentVolumes).delete({ name: volume.metadata?.name ?? '' });

  await bench.client.resource(persistentVolumes).create({
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'kept', labels: { 'failure-domain.beta.kubernetes.io/zone': zoneC } },
      spec: {
        capacity: { storage: '64Mi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'local',
        persistentVolumeReclaimPolicy: 'Retain',
        gcePersistentDisk: { pdName, fsType: 'ext4' },
      },
    },
  });
  await aClaim('kept', 'local');
  await aPod('kept', 'kept', {
    containers: [{ ...container, command: ['sh', '-c', `cat /data/proof && ${forever}`] }],
  });
  await bench.running(t, 'kept');
  t.is(await nodeOf('kept'), 'node-3');
  t.is((await bench.kubectl('logs', 'kept')).trim(), 'here');
  await bench.remove('kept');
  await bench.gone('kept');
  await bench.client.resource(persistentVolumeClaims).delete({ name: 'kept', namespace });
  await bench.client.resource(persistentVolumes).delete({ name: 'kept' });
});

test.serial('a local volume is bound when a Pod comes, on its own node', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'ff-local-'));
  const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-3'] }];
  await aLocalVolume('local', { path, matchExpressions });
  await aClaim('local', 'local');
  await aPod('local', 'local');
  await bench.running(t, 'local');
  t.is(await nodeOf('local'), 'node-3');
  await bench.remove('local');
  await bench.gone('local');
  t.is(readFileSync(join(path, 'proof'), 'utf8'), 'here\n');
  rmSync(path, { recursive: true });
});

test.serial('any label of a node may say where a volume is', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'ff-rack-'));
  const patch = { metadata: { labels: { rack: 'r2' } } };
  await bench.client.resource(nodes).patch({ name: 'node-2', type: 'merge', patch });
  const matchExpressions = [{ key: 'rack', operator: 'In', values: ['r2'] }];
  await aLocalVolume('rack', { path, matchExpressions });
  await aClaim('rack', 'local');
  await aPod('rack', 'rack');
  await bench.running(t, 'rack');
  t.is(await nodeOf('rack'), 'node-2');
  await bench.remove('rack');
  await bench.gone('rack');
  rmSync(path, { recursive: true });
});

test.serial('a disk that lives as long as its Pod', async (t) => {
  const volumeClaimTemplate = {
    spec: {
      storageClassName: 'other',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '64Mi' } },
    },
  };
  await aPod('scratch', 'none', { volumes: [{ name: 'data', ephemeral: { volumeClaimTemplate } }] });
  await bench.running(t, 'scratch');
  t.is(await nodeOf('scratch'), 'node-3');
  const volume = await volumeOf('scratch-data');
  await bench.remove('scratch');
  await bench.gone('scratch');
  await until('its disk is gone', async () => {
    const { items } = await bench.client.resource(persistentVolumes).list();
    return items.every(({ metadata }) => metadata?.name !== volume.metadata?.name);
  });
});

test.serial('disks go with their claims', async (t) => {
  const resource = bench.client.resource(persistentVolumeClaims);
  for (const claimName of ['data', 'alone', 'ebs']) await resource.delete({ name: claimName, namespace });
  await until('no disk is left', async () => {
    const { items } = await bench.client.resource(persistentVolumes).list();
    return items.every(({ spec }) => spec?.local !== undefined);
  });
  t.deepEqual((await bench.client.resource(volumeAttachments).list()).items, []);
  t.deepEqual(tracesOf(`/${name}/`, ['loopDevices']), {});
});

test.serial('a disk that is in use when the cluster is taken down', async (t) => {
  await aClaim('last', 'other');
  await aPod('last', 'last');
  await bench.running(t, 'last');
  // What takes the cluster down proves that nothing of it is left.
  t.is(tracesOf(`/${name}/`, ['loopDevices']).loopDevices?.length, 1);
});
