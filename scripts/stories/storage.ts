import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CoreV1Event, Node, PersistentVolume, Pod, VolumeAttachment } from '../../api/types.ts';
import { upWithProgress } from '../../cli/up-progress.ts';
import { nodePaths } from '../../cluster/paths.ts';
import { listLoops } from '../../linux/loop-device.ts';
import {
  claim,
  diskClass,
  DRIVER,
  holder,
  localClass,
  localVolume,
  NAMESPACE,
  snapshotOf,
  ZONE_LABEL,
} from './storage-manifests.ts';
import { storyteller, tell } from './storyteller.ts';

const CLUSTER = process.argv[2] ?? 'demo-storage';
/** Where the nodes are, and a zone of the same region where none is. */
const ZONES = ['cn-hangzhou-b', 'cn-hangzhou-c'];
const EMPTY_ZONE = 'cn-hangzhou-d';
const LOCAL_FOLDER = `/tmp/podwright-${CLUSTER}`;
const inNamespace = ['-n', NAMESPACE];

await tell(CLUSTER, () => upWithProgress({ name: CLUSTER, nodes: 3, zones: ZONES }));
const story = await storyteller(CLUSTER);
await tell(CLUSTER, async () => {
  await startAfresh();
  threeNodesInTwoZones();
  await nobodyMisconfiguredThePod();
  await classThatFits();
  diskIsAttached();
  diskIsMounted();
  const original = writeData();
  await takeSnapshot();
  destroyData();
  await restore(original);
  await deleteSnapshot();
  await deleteUnderDelete();
  await deleteUnderRetain();
  await localVolumeBindsLate();
  await nothingIsLeft();
  story.howToGoOn(['get storageclass,pv,volumeattachments,csinodes', 'get nodes -L ' + ZONE_LABEL]);
});

async function startAfresh(): Promise<void> {
  story.quietly('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait');
  story.quietly('delete', 'pv', '--all', '--wait');
  for (const name of ['disk', localClass.metadata.name])
    story.quietly('delete', 'storageclass', name, '--ignore-not-found');
  rmSync(LOCAL_FOLDER, { recursive: true, force: true });
  mkdirSync(LOCAL_FOLDER);
  story.quietly('create', 'namespace', NAMESPACE);
  await story.until('the namespace has its service account', () =>
    story.quietly('get', 'serviceaccounts', ...inNamespace, '-o', 'name').includes('default'),
  );
}

function threeNodesInTwoZones(): void {
  story.step('Three nodes, the first one tainted, the workers in two zones');
  story.kubectl('get', 'nodes', '-L', ZONE_LABEL);
  const nodes = items<Node>('nodes');
  const tainted = nodes.filter(({ spec }) => (spec?.taints ?? []).length > 0);
  story.check('only node-1 has a taint', tainted.map(nameOf).join() === 'node-1');
  const zones = nodes.slice(1).map(zoneOfNode);
  story.check('each worker is in a zone of its own', zones.join() === ZONES.join());
}

async function nobodyMisconfiguredThePod(): Promise<void> {
  story.step(`A class that allows only ${EMPTY_ZONE}: the claim waits, the Pod waits, and both say for what`);
  story.apply(diskClass(EMPTY_ZONE));
  story.apply(claim({ name: 'data', storageClassName: 'disk', size: '1Gi' }), holder('writer', 'data'));
  const failure = await story.until('the scheduler says why', () => eventOf('writer', 'FailedScheduling'));
  await story.until('the claim says why', () => eventOf('data', 'WaitFor'));
  story.kubectl('get', 'pvc,pod', ...inNamespace);
  story.kubectl('events', ...inNamespace);
  const why =
    "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't find available persistent volumes to bind.";
  story.check(
    "the Pod is Pending, with the scheduler's two reasons",
    failure.message?.startsWith(why) === true,
  );
  story.check('the claim is Pending', phaseOf('pvc', 'data') === 'Pending');
}

async function classThatFits(): Promise<void> {
  story.step(
    `The class replaced by one that allows ${ZONES[0]}: a disk is made there, and the Pod follows it`,
  );
  story.kubectl('delete', 'storageclass', 'disk');
  const started = performance.now();
  story.apply(diskClass(ZONES[0] ?? ''));
  await running('writer');
  story.say(`${elapsed(started)} from the new class to the Pod running on its disk`);
  story.kubectl('get', 'pvc,pod', ...inNamespace, '-o', 'wide');
  story.kubectl(
    'get',
    'pv',
    '-o',
    'custom-columns=NAME:.metadata.name,CLAIM:.spec.claimRef.name,AFFINITY:.spec.nodeAffinity',
  );
  story.kubectl('events', ...inNamespace, '--for', 'pvc/data');
  const node = object<Node>('node', nodeOf('writer'));
  story.check(`the Pod runs on a node of ${ZONES[0]}`, zoneOfNode(node) === ZONES[0]);
  story.check('the claim is Bound', phaseOf('pvc', 'data') === 'Bound');
}

function diskIsAttached(): void {
  story.step('Attach: a VolumeAttachment, and a loop device on the node');
  story.kubectl('get', 'volumeattachments');
  const { backingFile, device } = diskOf('data');
  story.host('losetup', '--list', '--output', 'NAME,SIZELIMIT,BACK-FILE', device);
  const attached = attachmentsOf(volumeOf('data')).filter(({ status }) => status?.attached === true);
  story.check(
    'exactly one attachment, to the node of the Pod',
    attached.map(({ spec }) => spec.nodeName).join() === nodeOf('writer'),
  );
  story.check(`the disk is a file in the pool of ${ZONES[0]}`, backingFile.includes(`/${ZONES[0]}/`));
}

function diskIsMounted(): void {
  story.step('Mount: staged once on the node, then bound into the Pod');
  const { device } = diskOf('data');
  const mounts = story.host('findmnt', '--source', device, '--output', 'TARGET,FSTYPE,OPTIONS');
  story.kubectl('exec', 'writer', ...inNamespace, '--', 'df', '-h', '/data');
  story.check('it is staged at globalmount', mounts.includes('globalmount'));
  story.check("it is published below the Pod's volumes", mounts.includes('/volumes/kubernetes.io~csi/'));
}

function writeData(): Buffer {
  story.step('Data is written: 64 MiB of noise');
  story.kubectl(...shell('writer', 'dd if=/dev/urandom of=/data/noise bs=1M count=64 2>&1; sync'));
  story.kubectl(...shell('writer', 'sha256sum /data/noise'));
  const original = readFileSync(fileOf('writer', 'noise'));
  story.check('it is on the disk', original.length === 64 * 1024 * 1024);
  return original;
}

async function takeSnapshot(): Promise<void> {
  story.step('A VolumeSnapshot');
  const started = performance.now();
  story.apply(snapshotOf('before', 'data'));
  await story.until('the snapshot is ready to use', () => readyToUse('before'));
  story.say(`${elapsed(started)} until readyToUse`);
  story.kubectl('get', 'volumesnapshots', ...inNamespace);
  story.kubectl('get', 'volumesnapshotcontents');
  story.check('its content is bound to it', contentOf('before') !== '');
}

function destroyData(): void {
  story.step('The data is destroyed');
  story.kubectl(
    ...shell(
      'writer',
      'dd if=/dev/zero of=/data/noise bs=1M count=1 conv=notrunc 2>&1; sync; rm /data/noise; sync; ls -la /data',
    ),
  );
  story.check('the file is gone', !existsSync(fileOf('writer', 'noise')));
}

async function restore(original: Buffer): Promise<void> {
  story.step('Restored into a new claim, by dataSource');
  const started = performance.now();
  story.apply(
    claim({ name: 'restored', storageClassName: 'disk', size: '1Gi', snapshot: 'before' }),
    holder('reader', 'restored'),
  );
  await running('reader');
  story.say(`${elapsed(started)} until a Pod runs with the restored disk`);
  story.kubectl(...shell('reader', 'sha256sum /data/noise'));
  const restored = readFileSync(fileOf('reader', 'noise'));
  story.check('byte for byte what was written', original.equals(restored));
}

async function deleteSnapshot(): Promise<void> {
  story.step('The snapshot is deleted, and its content with it');
  const content = contentOf('before');
  story.kubectl('delete', 'volumesnapshot', 'before', ...inNamespace);
  await story.until('the content is gone', () => !names('volumesnapshotcontents').includes(content));
  story.kubectl('get', 'volumesnapshotcontents');
  story.check('no content is left', names('volumesnapshotcontents').length === 0);
}

async function deleteUnderDelete(): Promise<void> {
  story.step('A claim deleted under reclaim policy Delete: volume, attachment and disk go');
  const { volume, backingFile } = diskOf('restored');
  story.kubectl('delete', 'pod', 'reader', ...inNamespace);
  story.kubectl('delete', 'pvc', 'restored', ...inNamespace);
  await story.until('the volume is gone', () => !names('pv').includes(volume));
  story.kubectl('get', 'pv,volumeattachments');
  story.check('no loop device has it', loopOf(backingFile) === undefined);
  story.check(`the file of the disk is gone`, !existsSync(backingFile));
}

async function deleteUnderRetain(): Promise<void> {
  story.step('A claim deleted under Retain: the volume is Released and its data kept');
  const { volume, backingFile } = diskOf('data');
  story.kubectl('patch', 'pv', volume, '-p', '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}');
  story.kubectl('delete', 'pod', 'writer', ...inNamespace);
  story.kubectl('delete', 'pvc', 'data', ...inNamespace);
  await story.until('the volume is Released', () => phaseOf('pv', volume) === 'Released');
  await story.until('the disk is detached', () => loopOf(backingFile) === undefined);
  story.kubectl('get', 'pv,volumeattachments');
  story.check('the disk is still there', existsSync(backingFile));
  story.say('The administrator has looked at it, and lets it go:');
  story.kubectl('patch', 'pv', volume, '-p', '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}');
  await story.until('the volume is gone', () => !names('pv').includes(volume));
  story.check('now it is gone', !existsSync(backingFile));
}

async function localVolumeBindsLate(): Promise<void> {
  story.step('A local volume: bound when its Pod has a node, and the Pod goes where the volume is');
  writeFileSync(join(LOCAL_FOLDER, 'note'), 'here before any Pod\n');
  story.apply(localClass, localVolume('local-on-node-3', { node: 'node-3', path: LOCAL_FOLDER }));
  story.apply(claim({ name: 'local', storageClassName: localClass.metadata.name, size: '1Gi' }));
  await story.until('the claim says what it waits for', () => eventOf('local', 'WaitForFirstConsumer'));
  story.kubectl('get', 'pvc,pv', ...inNamespace);
  story.check('the claim waits for a Pod', phaseOf('pvc', 'local') === 'Pending');
  story.apply(holder('local-reader', 'local'));
  await running('local-reader');
  story.kubectl('get', 'pvc,pod', ...inNamespace, '-o', 'wide');
  const note = story.kubectl(...shell('local-reader', 'cat /data/note; echo and after it >> /data/note'));
  story.check('the Pod is on node-3', nodeOf('local-reader') === 'node-3');
  story.check('it finds what was there', note === 'here before any Pod');
  story.kubectl('delete', 'pod', 'local-reader', ...inNamespace);
  const text = readFileSync(join(LOCAL_FOLDER, 'note'), 'utf8');
  story.check('its data outlives it', text === 'here before any Pod\nand after it\n');
}

async function nothingIsLeft(): Promise<void> {
  story.step('Nothing is left of all that');
  story.quietly('delete', 'namespace', NAMESPACE, '--wait');
  story.quietly('delete', 'pv', '--all', '--wait');
  rmSync(LOCAL_FOLDER, { recursive: true });
  story.kubectl('get', 'pv,volumeattachments');
  const loops = listLoops().filter(({ backingFile }) => backingFile.includes(`/podwright/${CLUSTER}/`));
  story.check('no loop device of the cluster is attached', loops.length === 0);
}

function shell(pod: string, script: string): string[] {
  return ['exec', pod, ...inNamespace, '--', 'sh', '-c', script];
}

function elapsed(started: number): string {
  return `${Math.round(performance.now() - started)} ms`;
}

interface Named {
  metadata?: { name?: string };
}
function nameOf({ metadata }: Named): string {
  return metadata?.name ?? '';
}
function zoneOfNode({ metadata }: Node): string {
  return metadata?.labels?.[ZONE_LABEL] ?? '';
}

function items<T>(resource: string): T[] {
  return (JSON.parse(story.quietly('get', resource, ...inNamespace, '-o', 'json')) as { items: T[] }).items;
}

function object<T>(resource: string, name: string): T {
  return JSON.parse(story.quietly('get', resource, name, ...inNamespace, '-o', 'json')) as T;
}

function names(resource: string): string[] {
  return items<Named>(resource).map(nameOf);
}

function phaseOf(resource: string, name: string): string {
  return object<PersistentVolume>(resource, name).status?.phase ?? '';
}

function nodeOf(pod: string): string {
  return object<Pod>('pod', pod).spec?.nodeName ?? '';
}

async function running(pod: string): Promise<void> {
  await story.until(`Pod ${pod} is running`, () => phaseOf('pod', pod) === 'Running');
}

function eventOf(name: string, reason: string): CoreV1Event | undefined {
  return items<CoreV1Event>('events').find(
    (event) => event.involvedObject.name === name && event.reason?.startsWith(reason) === true,
  );
}

function readyToUse(snapshot: string): boolean {
  return (
    object<{ status?: { readyToUse?: boolean } }>('volumesnapshot', snapshot).status?.readyToUse === true
  );
}

function contentOf(snapshot: string): string {
  return (
    object<{ status?: { boundVolumeSnapshotContentName?: string } }>('volumesnapshot', snapshot).status
      ?.boundVolumeSnapshotContentName ?? ''
  );
}

function volumeOf(claimName: string): string {
  return object<{ spec: { volumeName?: string } }>('pvc', claimName).spec.volumeName ?? '';
}

function attachmentsOf(volume: string): VolumeAttachment[] {
  return items<VolumeAttachment>('volumeattachments').filter(
    ({ spec }) => spec.attacher === DRIVER && spec.source.persistentVolumeName === volume,
  );
}

/** The disk behind a claim: its volume, and the loop device of the node with the file it shows. */
function diskOf(claimName: string): { volume: string; device: string; backingFile: string } {
  const volume = volumeOf(claimName);
  const handle = object<PersistentVolume>('pv', volume).spec?.csi?.volumeHandle ?? '';
  const loop = listLoops().find(
    ({ backingFile }) => backingFile.includes(`/podwright/${CLUSTER}/`) && backingFile.includes(handle),
  );
  if (loop === undefined) throw new Error(`no loop device shows disk ${handle} of claim ${claimName}`);
  return { volume, device: loop.path, backingFile: loop.backingFile };
}

function loopOf(file: string) {
  return listLoops().find(({ backingFile }) => backingFile === file);
}

/** A file in a Pod's /data, seen from the host through the mount of the Pod's first process. */
function fileOf(pod: string, name: string): string {
  const volume = volumeOf(
    object<Pod>('pod', pod).spec?.volumes?.find((v) => v.name === 'data')?.persistentVolumeClaim?.claimName ??
      '',
  );
  const uid = object<Pod>('pod', pod).metadata?.uid ?? '';
  return join(
    nodePaths(CLUSTER, nodeOf(pod)).kubelet,
    'pods',
    uid,
    'volumes',
    'kubernetes.io~csi',
    volume,
    'mount',
    name,
  );
}
