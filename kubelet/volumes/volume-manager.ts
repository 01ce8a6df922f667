import type { Container, Pod } from '../../api/types.ts';
import { systemClock, wait } from '../../client/clock.ts';
import type { Clock } from '../../client/clock.ts';
import type { Client } from '../../client/rest.ts';
import { trace } from '../../linux/trace.ts';
import type { Device } from '../../runtime/cri/types.ts';
import type { ResourceList } from '../environment/resource-field.ts';
import { createObjectManager } from '../objects/object-manager.ts';
import type { ObjectManager } from '../objects/object-manager.ts';
import { createTokenManager } from '../tokens/token-manager.ts';
import type { TokenManager } from '../tokens/token-manager.ts';
import { createAfterBurst } from './after-burst.ts';
import { cleanSubPaths } from './clean-sub-paths.ts';
import { containerDevices } from './container-devices.ts';
import { containerMounts } from './container-mounts.ts';
import type { ContainerMount, ContainerMountsOptions, MountedVolume } from './container-mounts.ts';
import { tearDownDirectory } from './empty-dir.ts';
import { metaDirectory, podDirectory, volumeDeviceLink, volumeDirectory } from './paths.ts';
import type { PersistentVolumes } from './persistent-volumes.ts';
import { removePodDirectory } from './pod-directory.ts';
import { PodVolumes } from './pod-volumes.ts';
import type { VolumeStanding } from './pod-volumes.ts';
import type { VolumePlugin, VolumeServices } from './plugin.ts';
import { volumePlugins } from './plugins.ts';
import { readVolumeFile } from './read-volume-file.ts';
import { serversAnswer } from './server-answers.ts';
import { createStatsCache } from './stats-cache.ts';
import { volumeStats } from './stats.ts';
import type { VolumeStats } from './stats.ts';
import { asVolumeError } from './volume-error.ts';
import { podsOnDisk, volumesOnDisk } from './volumes-on-disk.ts';
import type { VolumeOnDisk } from './volumes-on-disk.ts';
import { volumeGroups } from './volume-groups.ts';
import { VolumeWorker } from './volume-worker.ts';

export interface VolumeEvent {
  pod: Pod;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

export interface VolumeManagerOptions {
  /** The kubelet's directory; Pods live in `<rootDir>/pods/<uid>`. */
  rootDir: string;
  client: Client;
  /** Node.status.allocatable, such as `{ cpu: '2', memory: '4Gi' }`. */
  nodeAllocatable: () => ResourceList;
  recordEvent: (event: VolumeEvent) => void;
  log?: { warn: (fields: Record<string, unknown>, message: string) => void };
  objects?: ObjectManager;
  tokens?: TokenManager;
  plugins?: readonly VolumePlugin[];
  /** Without it there are no claims and no drivers. */
  persistent?: PersistentVolumes;
  /** A Pod whose volumes could not be processed can be synced again. */
  onProcessed?: (uid: string) => void;
  clock?: Clock;
}

export interface WaitForMountOptions {
  signal?: AbortSignal | undefined;
  /** Default: upstream's 2 min 3 s. */
  timeoutMs?: number;
}

/** The kubelet's volumes; README.md shows the order of the calls. */
export interface VolumeManager {
  readonly objects: ObjectManager;
  reconstruct(): void;
  syncPod(pod: Pod): void;
  /** Rejects with MountError. */
  waitForMount(pod: Pod, options?: WaitForMountOptions): Promise<Map<string, MountedVolume>>;
  /** Rejects with ContainerConfigError. */
  mountsFor(options: ContainerMountsOptions): Promise<ContainerMount[]>;
  /** The block volumes of a container. Throws ContainerConfigError. */
  devicesFor(options: { pod: Pod; container: Container }): Device[];
  /** Groups beside the Pod's own that its volumes belong to. */
  groupsFor(pod: Pod): number[];
  /** For fileKeyRef; rejects with Error. */
  readVolumeFile(pod: Pod, volumeName: string, path: string): Promise<string>;
  unmountPod(uid: string, options?: WaitForMountOptions): Promise<void>;
  /** Something of the Pod may be mounted. */
  hasVolumes(uid: string): boolean;
  removePodDirectory(uid: string): Promise<void>;
  /**
   * Unmounts and removes the Pods on disk that are not in `keep`; answers the uids of those that are gone in a few seconds, the
   * others are tried on. Errors are logged. To be called once all Pods are known.
   */
  removeOrphans(options: { keep: ReadonlySet<string> }): Promise<string[]>;
  /** The Pod's volumes that are there, by the names that it gives them. */
  mounted(uid: string): ReadonlyMap<string, MountedVolume>;
  /** At most a minute old. */
  statsFor(uid: string, options?: { claimsOnly?: boolean; fresh?: boolean }): Promise<VolumeStats[]>;
  /** Of each volume of each Pod. */
  standings(): VolumeStanding[];
  close(): Promise<void>;
}

const waitTimeoutMs = 123_000;
/** How long the start of the kubelet waits for what deleted Pods have left; it goes on in the background. */
const orphanPatienceMs = 5000;
const healthPeriodMs = 60_000;
const orphanRetryMs = 1000;
/** How long what nobody holds stays staged for a claim that can't be looked at. */
const claimsPatienceMs = 10_000;
const debug = trace('volumes');

/** Makes the volume manager of a node; nothing happens before reconstruct or syncPod. */
export const createVolumeManager = (options: VolumeManagerOptions): VolumeManager => {
  const { rootDir, client, recordEvent, log, clock = systemClock, persistent } = options;
  const plugins = options.plugins ?? [...volumePlugins, ...(persistent?.plugins ?? [])];
  const warn = (error: unknown, message: string, fields: Record<string, unknown> = {}) =>
    log?.warn({ ...fields, error: error instanceof Error ? error.message : String(error) }, message);
  const objects =
    options.objects ??
    createObjectManager({
      client,
      onError: (error, object) => warn(error, 'watch of an object failed', { object }),
    });
  const tokens =
    options.tokens ??
    createTokenManager({ client, clock, onError: (error) => warn(error, 'renewing a token failed') });
  const afterBurst = createAfterBurst((error) => warn(error, 'removing old files of a volume failed'));
  const services: VolumeServices = {
    getConfigMap: (namespace, name) => objects.getConfigMap(namespace, name),
    getSecret: (namespace, name) => objects.getSecret(namespace, name),
    getToken: (wanted) => tokens.getToken(wanted),
    nodeAllocatable: options.nodeAllocatable,
    later: (work) => afterBurst.add(work),
  };
  const pods = new Map<string, PodVolumes>();
  const closing = new AbortController();
  let closed = false;

  const makeWorker = (uid: string) => (volume: Parameters<PodVolumesWorkerFactory>[0]) => {
    const { plugin, volumeName, onChange } = volume;
    const podDir = podDirectory(rootDir, uid);
    return new VolumeWorker({
      place: {
        podUid: uid,
        volumeName,
        directory:
          plugin.mode === 'Block'
            ? volumeDeviceLink(podDir, plugin.name, volumeName)
            : volumeDirectory(podDir, plugin.name, volumeName),
        metaDirectory: metaDirectory(podDir, plugin.name, volumeName),
      },
      plugin: withSubPaths(persistent?.guarded(plugin) ?? plugin, podDir),
      services,
      clock,
      onChange,
      onSetUpError(error, pod) {
        const { message, reason } = asVolumeError(error, { step: 'MountVolume.SetUp failed', volumeName });
        debug(message, { pod: uid });
        recordEvent({ pod, type: 'Warning', reason, message });
      },
      onTearDownError: (error) =>
        warn(error, 'UnmountVolume.TearDown failed', { pod: uid, volume: volumeName }),
    });
  };

  const podVolumes = (uid: string): PodVolumes => {
    const existing = pods.get(uid);
    if (existing !== undefined) return existing;
    const made = new PodVolumes({
      uid,
      plugins,
      stats: createStatsCache({ clock }),
      makeWorker: makeWorker(uid),
      followClaim: persistent?.followClaim,
      onProcessed: () => options.onProcessed?.(uid),
    });
    pods.set(uid, made);
    return made;
  };

  const removeObjectListener = objects.onChange((change) => {
    for (const volumes of pods.values()) {
      if (volumes.pod?.metadata?.namespace === change.namespace) volumes.objectChanged(change);
    }
  });

  /** Drivers that look after the health of their volumes are asked for it even when nobody asks us (upstream: once a minute). */
  let stopLooking = () => {};
  const lookAtHealth = () => {
    stopLooking = clock.after(healthPeriodMs, () => {
      lookAtHealth();
      for (const [uid, volumes] of pods) {
        if (volumes.hasClaims) void manager.statsFor(uid, { claimsOnly: true, fresh: true });
      }
    });
  };
  lookAtHealth();

  const stopRetrying = persistent?.onRetry(() => {
    for (const volumes of pods.values()) volumes.retry();
  });

  const pluginOnDisk = ({ pluginName, mode }: VolumeOnDisk) =>
    plugins.find((plugin) => plugin.name === pluginName && (plugin.mode ?? 'Filesystem') === mode) ??
    unknownPlugin(pluginName);

  const removeOrphan = async (uid: string): Promise<void> => {
    while (!closed) {
      try {
        await manager.unmountPod(uid);
        return await manager.removePodDirectory(uid);
      } catch (error) {
        warn(error, 'an orphaned pod directory could not be removed', { pod: uid });
        await wait({ clock, delayMs: orphanRetryMs, signal: closing.signal });
      }
    }
  };

  /** What nobody holds is let go when it is known what is behind the claims of all Pods, or at least in a while. */
  const releaseDevices = async () => {
    const looks = [...pods.values()].map((volumes) => volumes.claimsAreLookedAt());
    await Promise.race([
      Promise.all(looks),
      wait({ clock, delayMs: claimsPatienceMs, signal: closing.signal }),
    ]);
    if (!closed) persistent?.devices.podsAreKnown();
  };

  const mounted = (uid: string) => pods.get(uid)?.mounted() ?? new Map<string, MountedVolume>();

  const manager: VolumeManager = {
    objects,
    mounted,
    reconstruct() {
      persistent?.reconstruct();
      for (const uid of podsOnDisk(rootDir)) {
        for (const volume of volumesOnDisk(rootDir, uid)) {
          podVolumes(uid).adopt(pluginOnDisk(volume), volume.volumeName);
        }
      }
    },
    syncPod(pod) {
      const volumes = podVolumes(pod.metadata?.uid ?? '');
      if (volumes.ending) return;
      objects.registerPod(pod);
      volumes.sync(pod);
    },
    async waitForMount(pod, { signal, timeoutMs = waitTimeoutMs } = {}) {
      manager.syncPod(pod);
      return podVolumes(pod.metadata?.uid ?? '').waitForMount({ signal, timeoutMs });
    },
    async mountsFor(mounts) {
      const uid = mounts.pod.metadata?.uid ?? '';
      const volumes = mounted(uid);
      await serversAnswer(mounts.container, volumes);
      return containerMounts(mounts, { podDir: podDirectory(rootDir, uid), volumes });
    },
    devicesFor: ({ pod, container }) => containerDevices(container, mounted(pod.metadata?.uid ?? '')),
    groupsFor: (pod) => volumeGroups(pod, mounted(pod.metadata?.uid ?? '')),
    async readVolumeFile(pod, volumeName, path) {
      const volume = mounted(pod.metadata?.uid ?? '').get(volumeName);
      return readVolumeFile({ volume, volumeName, path });
    },
    async unmountPod(uid, { signal, timeoutMs = waitTimeoutMs } = {}) {
      await podVolumes(uid).unmountAll({ signal, timeoutMs });
      cleanSubPaths({ podDir: podDirectory(rootDir, uid) });
      objects.unregisterPod(uid);
      tokens.forgetPod(uid);
    },
    hasVolumes: (uid) => pods.get(uid)?.isEmpty === false,
    async removePodDirectory(uid) {
      if (manager.hasVolumes(uid)) throw new Error(`volumes of pod ${uid} are not unmounted yet`);
      await removePodDirectory(podDirectory(rootDir, uid));
      pods.delete(uid);
    },
    async removeOrphans({ keep }) {
      const orphans = podsOnDisk(rootDir).filter((uid) => !keep.has(uid));
      const removed: string[] = [];
      const removing = orphans.map((uid) => removeOrphan(uid).then(() => removed.push(uid)));
      await Promise.race([
        Promise.all(removing),
        wait({ clock, delayMs: orphanPatienceMs, signal: closing.signal }),
      ]);
      void releaseDevices();
      return removed;
    },
    async statsFor(uid, how) {
      const volumes = pods.get(uid);
      if (volumes === undefined) return [];
      return volumeStats({
        ...how,
        clock,
        volumes: volumes.mounted(),
        cache: volumes.stats,
        onAbnormal(name, message) {
          const event = { type: 'Warning', reason: 'VolumeConditionAbnormal' } as const;
          if (volumes.pod) recordEvent({ pod: volumes.pod, ...event, message: `Volume ${name}: ${message}` });
        },
        onError: (error, volume) => debug('volume not counted', { pod: uid, volume, error }),
      });
    },
    standings: () => [...pods.values()].flatMap((volumes) => volumes.standings()),
    async close() {
      closing.abort();
      closed = true;
      stopRetrying?.();
      stopLooking();
      removeObjectListener();
      for (const volumes of pods.values()) volumes.close();
      await objects.close();
    },
  };
  return manager;
};

type PodVolumesWorkerFactory = ConstructorParameters<typeof PodVolumes>[0]['makeWorker'];

/** Sub paths stand on the volume, so they go first. */
const withSubPaths = (plugin: VolumePlugin, podDir: string): VolumePlugin => ({
  ...plugin,
  async tearDown(place) {
    cleanSubPaths({ podDir, volumeName: place.volumeName });
    await plugin.tearDown(place);
  },
});

/** For a folder on disk of a type that this version doesn't have: it can only be taken away. */
const unknownPlugin = (name: string): VolumePlugin => ({
  name,
  canSupport: () => false,
  requiresRemount: false,
  readOnly: false,
  setUp: () => Promise.reject(new Error('no volume plugin matched')),
  tearDown: tearDownDirectory,
});
