import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type {
  CoreV1Event,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  Pod,
  PodSpec,
  StorageClass,
  VolumeAttachment,
} from '../../../api/types.ts';
import { findKubectl } from '../../../cli/find-kubectl.ts';
import { isNotFound } from '../../../client/errors.ts';
import { readBytes } from '../../../client/response-body.ts';
import {
  csiNodes,
  events,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  storageClasses,
  volumeAttachments,
} from '../../../client/resources.ts';
import { startCluster } from '../../../cluster/index.ts';
import type { UpOptions } from '../../../cluster/index.ts';
import { clusterPaths, nodePaths } from '../../../cluster/paths.ts';
import { loopsBelow } from '../../../linux/loop-device.ts';
import type { LoopDevice } from '../../../linux/loop-device.ts';
import { mountsBelow } from '../../../linux/mount-info.ts';
import type { MountInfo } from '../../../linux/mount-info.ts';
import { expectNothingLeft, patience, until } from '../../environment.ts';
import { forever, podBench, shell } from '../pods/pod-bench.ts';
import type { PodBench } from '../pods/pod-bench.ts';
import { takeDown } from '../take-down.ts';

export const DRIVER = 'loop-disk.csi.podwright.io';
/** Events of volumes, which have no namespace, are here too. */
export const namespace = 'default';
const deadlineMs = 60_000;

export interface ClaimOptions extends Omit<PersistentVolumeClaimSpec, 'resources'> {
  size?: string;
}

export interface HolderOptions {
  claim: string;
  /** Where it must run; anywhere when not given. */
  node?: string;
  /** What it runs before it waits for its end. */
  script?: string;
  readOnly?: boolean;
  /** As the block device /dev/disk instead of the folder /data. */
  asDevice?: boolean;
  /** Besides, or instead. */
  spec?: Partial<PodSpec>;
}

/** A cluster with disks, seen from outside: through the API server and in the kernel. */
export interface StorageBench extends PodBench {
  name: string;
  storageClass(name: string, more?: Partial<StorageClass>): Promise<StorageClass>;
  /** A claim of 64 MiB for one node, of the default class. */
  claim(name: string, options?: ClaimOptions): Promise<PersistentVolumeClaim>;
  getClaim(name: string): Promise<PersistentVolumeClaim>;
  resize(name: string, size: string): Promise<unknown>;
  /** A Pod that holds a claim at /data and does nothing until its end. */
  holder(name: string, options: HolderOptions): Promise<Pod>;
  /** Deletes Pods and resolves when they are gone. */
  removed(...names: string[]): Promise<void>;
  /** Deletes claims and resolves when their volumes and disks are gone. */
  disposed(...claims: string[]): Promise<void>;
  /** Polls until the look gives something, and fails with what the cluster told of the names. */
  until<T>(
    t: ExecutionContext,
    what: string,
    look: () => Promise<T | undefined | false> | T | undefined | false,
    ...about: string[]
  ): Promise<T>;
  /** The first event of the object with this reason and these words. */
  told(t: ExecutionContext, name: string, reason: string, words?: RegExp | string): Promise<CoreV1Event>;
  /** Passes when a Pod's first container has written exactly this; it may have begun only now. */
  prints(t: ExecutionContext, pod: string, text: string): Promise<void>;
  /** Runs a script in a Pod; answers what it wrote, rejects when it failed. */
  exec(pod: string, script: string): Promise<string>;
  /** Resolves when a file that a Pod writes has content. */
  written(pod: string, file: string): Promise<void>;
  volumeOf(claim: string): Promise<PersistentVolume>;
  attachmentsOf(volume: PersistentVolume): Promise<VolumeAttachment[]>;
  /** The disks that are attached, in the kernel's words. */
  loops(): LoopDevice[];
  /** The one loop device of a claim's disk. */
  loopOf(claim: string): Promise<LoopDevice>;
  /** The mounts of a disk below a node's kubelet folder. */
  mountsOf(node: string, loop: LoopDevice): MountInfo[];
  /** The images of the disks in the cloud. */
  images(): string[];
  log(daemon: string): string;
  /** Deletes all Pods and claims, and proves that no disk is left; then takes the cluster down and proves the same of that. */
  end(t: Pick<ExecutionContext, 'deepEqual'>): Promise<void>;
}

export async function storageBench(options: UpOptions & { name: string }): Promise<StorageBench> {
  const { name } = options;
  const base = await podBench(await startCluster(options));
  const { client, cluster } = base;
  const claims = client.resource(persistentVolumeClaims);
  const cloud = clusterPaths(name).cloud;
  const kubectl = await findKubectl();
  await until(
    'the driver is registered on every node',
    async () => {
      const { items } = await client.resource(csiNodes).list();
      const serving = items.filter(({ spec }) => spec.drivers.some((driver) => driver.name === DRIVER));
      return serving.length === cluster.nodes.length;
    },
    deadlineMs,
  );

  const eventsOf = async (...names: string[]) =>
    (await client.resource(events).list({ namespace })).items.filter(({ involvedObject }) =>
      names.includes(involvedObject.name ?? ''),
    );
  const getClaim = (claim: string) => claims.get({ name: claim, namespace });
  const untilOrTold: StorageBench['until'] = async (t, what, look, ...about) => {
    try {
      return await until(what, look, deadlineMs);
    } catch (error) {
      for (const { involvedObject, reason, message } of await eventsOf(...about))
        t.log(`${involvedObject.kind} ${involvedObject.name} ${reason}: ${message}`);
      throw error;
    }
  };
  const volumeOf = async (claim: string) =>
    client.resource(persistentVolumes).get({ name: (await getClaim(claim)).spec?.volumeName ?? '' });
  const loops = () => loopsBelow(realpathSync(cloud));
  const allGone = async (list: () => Promise<{ items: unknown[] }>, what: string) => {
    await until(`no ${what} is left`, async () => (await list()).items.length === 0, deadlineMs);
  };
  const bench: StorageBench = {
    ...base,
    name,
    storageClass: (className, more = {}) =>
      client.resource(storageClasses).create({
        object: {
          apiVersion: 'storage.k8s.io/v1',
          kind: 'StorageClass',
          metadata: { name: className },
          provisioner: DRIVER,
          volumeBindingMode: 'WaitForFirstConsumer',
          ...more,
        },
      }),
    claim: (claimName, { size = '64Mi', ...spec } = {}) =>
      claims.create({
        object: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: claimName, namespace },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } }, ...spec },
        },
      }),
    getClaim,
    resize: (claim, size) =>
      claims.patch({
        name: claim,
        namespace,
        type: 'merge',
        patch: { spec: { resources: { requests: { storage: size } } } },
      }),
    holder: (podName, { claim, node, script = ':', readOnly = false, asDevice = false, spec = {} }) => {
      const place = asDevice
        ? { volumeDevices: [{ name: 'data', devicePath: '/dev/disk' }] }
        : { volumeMounts: [{ name: 'data', mountPath: '/data' }] };
      return base.create(podName, {
        terminationGracePeriodSeconds: 1,
        ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim, readOnly } }],
        containers: [shell('main', `${script}; ${forever}`, place)],
        ...spec,
      });
    },
    async removed(...names) {
      await Promise.all(names.map((pod) => base.remove(pod, 1)));
      await Promise.all(
        names.map((pod) =>
          until(`pod ${pod} is gone`, () => base.pod(pod).then(() => false, isNotFound), deadlineMs),
        ),
      );
    },
    async disposed(...names) {
      const volumes = await Promise.all(
        names.map(async (claim) => (await getClaim(claim)).spec?.volumeName ?? ''),
      );
      await Promise.all(names.map((claim) => claims.delete({ name: claim, namespace })));
      await until(
        `the volumes of ${names.join(', ')} are gone`,
        async () => {
          const { items } = await client.resource(persistentVolumes).list();
          return !items.some(({ metadata }) => volumes.includes(metadata?.name ?? ''));
        },
        deadlineMs,
      );
    },
    until: untilOrTold,
    told: (t, object, reason, words = '') =>
      untilOrTold(
        t,
        `event ${reason} of ${object}: ${words}`,
        async () =>
          (await eventsOf(object)).find(
            (event) => event.reason === reason && new RegExp(words).test(event.message ?? ''),
          ),
        object,
      ),
    async prints(t, pod, text) {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=main`;
      let seen = '';
      const isThere = async () => {
        seen = (await readBytes(await client.stream({ method: 'GET', path }))).toString();
        return seen === text;
      };
      const look = () => until(`${pod} prints ${text}`, isThere, 15_000);
      await look().catch((error: Error) => t.log(error.message));
      t.is(seen, text);
    },
    exec: (pod, script) =>
      new Promise((resolve, reject) => {
        const args = ['exec', pod, '-n', namespace, '--', 'sh', '-c', script];
        const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
        execFile(kubectl, args, { env, timeout: 120_000 * patience }, (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`in ${pod}: ${script}: ${stderr}${stdout}`, { cause: error }));
        });
      }),
    written: async (pod, file) => void (await bench.exec(pod, `until test -s ${file}; do sleep 0.1; done`)),
    volumeOf,
    attachmentsOf: async (volume) =>
      (await client.resource(volumeAttachments).list()).items.filter(
        ({ spec }) => spec.source.persistentVolumeName === volume.metadata?.name,
      ),
    loops,
    async loopOf(claim) {
      const handle = (await volumeOf(claim)).spec?.csi?.volumeHandle ?? '';
      const [loop, ...others] = loops().filter(({ backingFile }) => backingFile.includes(handle));
      if (loop === undefined || others.length > 0)
        throw new Error(`${others.length + (loop === undefined ? 0 : 1)} loop devices have ${handle}`);
      return loop;
    },
    mountsOf: (node, loop) =>
      mountsBelow(nodePaths(name, node).kubelet).filter(({ source }) => source === loop.path),
    images: () =>
      existsSync(cloud)
        ? readdirSync(cloud, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.img'))
        : [],
    log: (daemon) => readFileSync(join(clusterPaths(name).logs, `${daemon}.log`), 'utf8'),
    async end(t) {
      try {
        for (const { metadata } of (await client.resource(pods).list({ namespace })).items)
          await base.remove(metadata?.name ?? '', 0);
        for (const { metadata } of (await claims.list({ namespace })).items)
          await claims.delete({ name: metadata?.name ?? '', namespace });
        await allGone(() => client.resource(persistentVolumes).list(), 'volume');
        await allGone(() => client.resource(volumeAttachments).list(), 'attachment');
        t.deepEqual(loops(), []);
        t.deepEqual(bench.images(), []);
      } finally {
        client.close();
        await takeDown(t, cluster);
        await expectNothingLeft(`/${name}/`);
      }
    },
  };
  return bench;
}
