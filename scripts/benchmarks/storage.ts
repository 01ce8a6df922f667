import type { PersistentVolumeClaim, Pod, StorageClass } from '../../api/types.ts';
import type { ApiObject, ResourceId } from '../../client/objects.ts';
import { persistentVolumeClaims, storageClasses } from '../../client/resources.ts';
import { listLoops } from '../../linux/loop-device.ts';
import { isRunning, namespace, sleepingPod, startBenchCluster } from './cluster.ts';
import type { BenchCluster } from './cluster.ts';
import { median } from './figure.ts';
import type { Figure, MeasureOptions } from './figure.ts';
import { makeReflinkPool } from './reflink-pool.ts';

interface VolumeSnapshot extends ApiObject {
  spec: { source: { persistentVolumeClaimName: string } };
  status?: { readyToUse?: boolean };
}
const snapshots: ResourceId<VolumeSnapshot> = {
  group: 'snapshot.storage.k8s.io',
  version: 'v1',
  resource: 'volumesnapshots',
};
const immediateClass = 'immediate';
const claimCount = 50;
const dataMegabytes = 500;

/** Disks on a reflink pool: claim to running Pod, snapshot and restore of 500 MB, and 50 claims at once. */
export const storage = async ({ runs }: MeasureOptions): Promise<Figure[]> => {
  await using pool = await makeReflinkPool();
  await using cluster = await startBenchCluster({ diskPool: pool.dir });
  return [
    await claimToRunning(cluster, runs),
    ...(await snapshotAndRestore(cluster, runs)),
    await manyClaims(cluster, Math.min(runs, 3)),
  ];
};

/** From the POST of a claim and its Pod to the watch event that shows it Running, a new 1 GiB ext4 mounted. */
const claimToRunning = async (cluster: BenchCluster, runs: number): Promise<Figure> => {
  const samples: number[] = [];
  for (let run = 0; run < runs + 1; run += 1) {
    const name = `disk-${run}`;
    const startMs = performance.now();
    await Promise.all([createClaim(cluster, name), cluster.create(podWith(name))]);
    await cluster.waitForPod(name, isRunning);
    if (run >= 1) samples.push(performance.now() - startMs);
    await remove(cluster, [name]);
  }
  return {
    name: 'PVC and Pod to Running, 1 GiB ext4',
    unit: 'ms',
    ours: median(samples),
    goal: '500 ms',
    samples,
  };
};

const snapshotAndRestore = async (cluster: BenchCluster, runs: number): Promise<Figure[]> => {
  await makeImmediateClass(cluster);
  await Promise.all([createClaim(cluster, 'origin'), cluster.create(writerOf('origin'))]);
  await cluster.waitForPod('origin', isReady);
  const snapshotSamples: number[] = [];
  const restoreSamples: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const name = `copy-${run}`;
    const startMs = performance.now();
    await cluster.client.resource(snapshots).create({ object: snapshotOf(name, 'origin') });
    await cluster.waitFor(snapshots, name, (snapshot) => snapshot?.status?.readyToUse === true);
    const readyMs = performance.now();
    await createClaim(cluster, name, {
      storageClassName: immediateClass,
      dataSource: { apiGroup: snapshots.group, kind: 'VolumeSnapshot', name },
    });
    await cluster.waitFor(persistentVolumeClaims, name, (claim) => claim?.status?.phase === 'Bound');
    snapshotSamples.push(readyMs - startMs);
    restoreSamples.push(performance.now() - readyMs);
    await cluster.client.resource(snapshots).delete({ name, namespace });
    await cluster.client.resource(persistentVolumeClaims).delete({ name, namespace });
  }
  await remove(cluster, ['origin']);
  const figure = (name: string, samples: number[]): Figure => ({
    name: `${name}, ${dataMegabytes} MB, reflink`,
    unit: 'ms',
    ours: median(samples),
    goal: '300 ms',
    samples,
  });
  return [
    figure('VolumeSnapshot to readyToUse', snapshotSamples),
    figure('restore of it to Bound', restoreSamples),
  ];
};

/** From the first POST to the last of 50 Pods Running, each on a new disk; then all is deleted, and no loop device may be left. */
const manyClaims = async (cluster: BenchCluster, runs: number): Promise<Figure> => {
  const samples: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const names = Array.from({ length: claimCount }, (_, index) => `many-${run}-${index}`);
    const startMs = performance.now();
    await Promise.all(names.flatMap((name) => [createClaim(cluster, name), cluster.create(podWith(name))]));
    await Promise.all(names.map((name) => cluster.waitForPod(name, isRunning)));
    samples.push((performance.now() - startMs) / 1000);
    await remove(cluster, names);
  }
  return {
    name: `${claimCount} claims with Pods at once, all Running`,
    unit: 's',
    ours: median(samples),
    goal: '15 s',
    samples,
  };
};

const createClaim = async (
  cluster: BenchCluster,
  name: string,
  spec: Partial<NonNullable<PersistentVolumeClaim['spec']>> = {},
): Promise<void> => {
  const object: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  };
  await cluster.client.resource(persistentVolumeClaims).create({ object });
};

/** Deletes Pods and the claims of their names; resolves when the volumes are gone and no loop device shows a disk. */
const remove = async (cluster: BenchCluster, names: readonly string[]): Promise<void> => {
  await cluster.removePods(names);
  const claims = cluster.client.resource(persistentVolumeClaims);
  await Promise.all(names.map((name) => claims.delete({ name, namespace })));
  const deadline = performance.now() + 60_000;
  while (disksOf(cluster).length > 0) {
    if (performance.now() > deadline)
      throw new Error(`after 60 s these disks are still attached: ${disksOf(cluster).join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

const disksOf = ({ name }: BenchCluster): string[] =>
  listLoops()
    .map(({ backingFile }) => backingFile)
    .filter((file) => file.includes(`/${name}/`));

const podWith = (name: string): Pod => {
  const pod = sleepingPod(name);
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: (pod.spec?.containers ?? []).map((container) => ({
        ...container,
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      })),
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }],
    },
  };
};

/** Ready when the data is on its disk. */
const writerOf = (name: string): Pod => {
  const pod = podWith(name);
  const script = `head -c ${dataMegabytes}M /dev/urandom >/data/noise; sync; touch /data/written; sleep 100000`;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: (pod.spec?.containers ?? []).map((container) => ({
        ...container,
        command: ['sh', '-c', script],
        readinessProbe: { exec: { command: ['test', '-f', '/data/written'] }, periodSeconds: 1 },
      })),
    },
  };
};

const isReady = ({ status }: Pod): boolean =>
  (status?.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True');

const snapshotOf = (name: string, claim: string): VolumeSnapshot => ({
  apiVersion: `${snapshots.group}/${snapshots.version}`,
  kind: 'VolumeSnapshot',
  metadata: { name, namespace },
  spec: { source: { persistentVolumeClaimName: claim } },
});

/** A restore is over when the claim is Bound, with no Pod to wait for. */
const makeImmediateClass = async ({ client }: BenchCluster): Promise<void> => {
  const standard = await client.resource(storageClasses).get({ name: 'standard' });
  const object: StorageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: immediateClass },
    provisioner: standard.provisioner,
    volumeBindingMode: 'Immediate',
  };
  await client.resource(storageClasses).create({ object });
};
