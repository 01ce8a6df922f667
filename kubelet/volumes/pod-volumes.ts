import type { Container, Pod, Volume } from '../../api/types.ts';
import { referenceKey, volumeReferences } from '../objects/pod-references.ts';
import type { ObjectChange } from '../objects/object-manager.ts';
import type { ClaimFollower, FollowClaimOptions } from './claims/follow-claim.ts';
import type { MountedVolume } from './container-mounts.ts';
import { deadlineExceeded, MountError } from './mount-error.ts';
import { pluginFor } from './plugins.ts';
import type { VolumePlugin } from './plugin.ts';
import type { StatsCache } from './stats-cache.ts';
import { isClaimed, specOf } from './volume-spec.ts';
import type { VolumeSpec } from './volume-spec.ts';
import type { VolumeWorker } from './volume-worker.ts';

export interface PodVolumesOptions {
  uid: string;
  plugins: readonly VolumePlugin[];
  /** How full the volumes were when they were last counted. */
  stats: StatsCache;
  makeWorker: (options: { plugin: VolumePlugin; volumeName: string; onChange: () => void }) => VolumeWorker;
  /** Finds what is behind a claim, and again when it changes; without it there are no claims. */
  followClaim?: ((options: Omit<FollowClaimOptions, 'client' | 'clock'>) => ClaimFollower) | undefined;
  /** A volume that could not be processed now can: the Pod is to be synced again. */
  onProcessed?: (() => void) | undefined;
}

/**
 * The volumes of one Pod: what it wants of them, and what is there.
 *
 *     Pod's volume ──(claim: followed to its PersistentVolume)──▶ VolumeSpec ──▶ plugin ──▶ VolumeWorker
 *            └── no claim or no plugin: unprocessed, with the reason
 */
export class PodVolumes {
  readonly uid: string;
  readonly stats: StatsCache;
  /** As last synced; undefined for a Pod of which only its directories are known, after a restart. */
  pod: Pod | undefined;
  /** unmountAll was called: nothing is set up any more. */
  ending = false;
  readonly #options: PodVolumesOptions;
  /** By workerKey. */
  readonly #workers = new Map<string, VolumeWorker>();
  /** The workers' keys by the names that the Pod gives its volumes; two names may lead to one claim. */
  readonly #keys = new Map<string, string>();
  readonly #claims = new Map<string, ClaimFollower>();
  /** Volumes that no plugin takes or whose claim can't be used, with the reason. */
  readonly #unprocessed = new Map<string, string>();
  readonly #waiters = new Set<() => void>();
  #content = '';

  constructor(options: PodVolumesOptions) {
    this.uid = options.uid;
    this.stats = options.stats;
    this.#options = options;
  }

  /** Takes over a volume that is on disk. */
  adopt(plugin: VolumePlugin, volumeName: string): void {
    const { place } = this.#worker(plugin, volumeName);
    plugin.adopt?.(place);
  }

  /** Sets up what the Pod has, and takes away what it has no more. */
  sync(pod: Pod): void {
    if (this.ending) return;
    this.pod = pod;
    const content = contentOf(pod);
    const changed = content !== this.#content;
    this.#content = content;
    const volumes = expectedVolumes(pod);
    for (const volume of volumes) {
      if (isClaimed(volume)) this.#follow(pod, volume);
      else this.#want(volume.name, specOf(volume), { changed });
    }
    this.#unwantOthers(volumes);
  }

  #follow(pod: Pod, volume: Volume): void {
    const { name } = volume;
    const follower = this.#claims.get(name);
    if (follower !== undefined) return follower.look(pod);
    const made = this.#options.followClaim?.({
      pod,
      volume,
      use: useOf(pod, name),
      onSpec: (spec) => {
        this.#want(name, spec, { changed: false });
        if (this.pod !== undefined) this.#unwantOthers(expectedVolumes(this.pod));
        this.#look();
      },
      onProblem: (reason) => {
        if (!this.#keys.has(name)) this.#unprocessed.set(name, reason);
        this.#look();
      },
    });
    if (made !== undefined) this.#claims.set(name, made);
    else this.#want(name, specOf(volume), { changed: false });
  }

  #want(name: string, spec: VolumeSpec, { changed }: { changed: boolean }): void {
    const { pod } = this;
    if (pod === undefined || this.ending) return;
    try {
      const plugin = pluginFor(spec, this.#options.plugins);
      const reads = spec.volume.downwardAPI !== undefined || spec.volume.projected !== undefined;
      this.#keys.set(name, workerKey(plugin, spec.name));
      this.#worker(plugin, spec.name).want(pod, spec, { changed: changed && reads });
      if (this.#unprocessed.delete(name)) this.#options.onProcessed?.();
    } catch (error) {
      this.#unprocessed.set(name, error instanceof Error ? error.message : String(error));
    }
  }

  /** What is on disk and no volume of the Pod is; not before it is known what is behind all its claims. */
  #unwantOthers(volumes: Volume[]): void {
    if (!volumes.every(({ name }) => this.#keys.has(name))) return;
    const wanted = new Set(volumes.map(({ name }) => this.#keys.get(name)));
    for (const [key, worker] of this.#workers) if (!wanted.has(key)) worker.unwant();
  }

  #worker(plugin: VolumePlugin, volumeName: string): VolumeWorker {
    const key = workerKey(plugin, volumeName);
    const existing = this.#workers.get(key);
    if (existing !== undefined) return existing;
    const onChange = () => this.#changed(key);
    const worker = this.#options.makeWorker({ plugin, volumeName, onChange });
    this.#workers.set(key, worker);
    return worker;
  }

  #changed(key: string): void {
    const worker = this.#workers.get(key);
    if (worker?.isGone === true) {
      this.#workers.delete(key);
      this.#wantAgain(key, worker.spec);
    }
    this.#look();
  }

  /** What the Pod has again by the time that it is gone. */
  #wantAgain(key: string, spec: VolumeSpec | undefined): void {
    if (this.pod === undefined || spec === undefined) return;
    const again = expectedVolumes(this.pod).find(({ name }) => this.#keys.get(name) === key);
    if (again !== undefined) this.#want(again.name, spec, { changed: false });
  }

  #look(): void {
    for (const look of this.#waiters) look();
  }

  /** An object has changed: the volumes that show it are set up again. */
  objectChanged({ kind, name }: ObjectChange): void {
    const key = referenceKey({ kind, name });
    for (const worker of this.#workers.values()) {
      const { spec } = worker;
      if (spec === undefined) continue;
      if (volumeReferences(spec.volume).some((reference) => referenceKey(reference) === key)) worker.wake();
    }
  }

  /** Whatever has failed is tried again at once. */
  retry(): void {
    for (const worker of this.#workers.values()) worker.retry();
  }

  /** Resolves when it was looked behind every claim of the Pod, with whatever result. */
  async claimsAreLookedAt(): Promise<void> {
    await Promise.all([...this.#claims.values()].map(({ firstLook }) => firstLook));
  }

  /** Resolves when all volumes that the Pod's containers mount are there; rejects with MountError or the signal's reason. */
  async waitForMount({ signal, timeoutMs }: WaitOptions): Promise<Map<string, MountedVolume>> {
    const finished = await this.#wait({ signal, timeoutMs }, () => {
      return this.#unprocessed.size > 0 || this.ending || this.#unmounted().length === 0;
    });
    const unmounted = this.#unmounted();
    if (unmounted.length === 0) return this.mounted();
    const reasons = [...this.#unprocessed.values()];
    const unprocessed = unmounted.filter((name) => !this.#keys.has(name) || this.#unprocessed.has(name));
    const why =
      reasons.length > 0 ? reasons.join('; ') : finished ? 'the Pod is terminating' : deadlineExceeded;
    const unattached = unmounted.filter((name) => !this.#isAttached(name));
    const limitExceeded = !finished && (await this.#isRefusedForLimit(unattached));
    throw new MountError({ unmounted, unattached, unprocessed, why, interrupted: !finished, limitExceeded });
  }

  /** Takes all volumes away; resolves when they are. Rejects with Error (`mounted volumes=[x]: …`). */
  async unmountAll({ signal, timeoutMs }: WaitOptions): Promise<void> {
    this.ending = true;
    for (const claim of this.#claims.values()) claim.close();
    for (const worker of this.#workers.values()) worker.unwant();
    this.#look();
    const finished = await this.#wait({ signal, timeoutMs }, () => this.#workers.size === 0);
    if (finished) return;
    const mounted = [...this.#workers.values()].map(({ place }) => place.volumeName).sort();
    throw new Error(`mounted volumes=[${mounted.join(' ')}]: ${deadlineExceeded}`);
  }

  /** False when the time was up before `isDone`. */
  async #wait({ signal, timeoutMs }: WaitOptions, isDone: () => boolean): Promise<boolean> {
    signal?.throwIfAborted();
    if (isDone()) return true;
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const look = () => isDone() && resolve(true);
    const abort = () => reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    const timer = setTimeout(() => resolve(false), timeoutMs);
    this.#waiters.add(look);
    signal?.addEventListener('abort', abort);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(look);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** The volumes that are there, by the names that the Pod gives them. */
  mounted(): Map<string, MountedVolume> {
    const mounted = new Map<string, MountedVolume>();
    for (const name of this.#keys.keys()) {
      const worker = this.#workerOf(name);
      if (worker?.spec === undefined || !worker.isMounted) continue;
      const { plugin, place, spec } = worker;
      const hostPath = plugin.hostPath?.(spec, place) ?? place.directory;
      const readOnly = plugin.readOnly || spec.readOnly;
      const isDevice = spec.mode === 'Block';
      const ownStats = plugin.stats && (async () => plugin.stats?.(spec, place));
      mounted.set(name, { name, hostPath, readOnly, volume: spec.volume, spec, isDevice, ownStats });
    }
    return mounted;
  }

  /** Each volume that the Pod wants or that is there. */
  standings(): VolumeStanding[] {
    return [...this.#workers.values()].map(({ plugin, spec, isThere, isWanted }) => ({
      pluginName: fullPluginName(plugin, spec),
      isThere,
      isWanted,
    }));
  }

  #workerOf(name: string): VolumeWorker | undefined {
    return this.#workers.get(this.#keys.get(name) ?? '');
  }

  async #isRefusedForLimit(names: string[]): Promise<boolean> {
    for (const name of names) {
      const { plugin, spec } = this.#workerOf(name) ?? {};
      if (spec !== undefined && (await plugin?.isRefusedForLimit?.(spec)) === true) return true;
    }
    return false;
  }

  #isAttached(name: string): boolean {
    const { plugin, spec } = this.#workerOf(name) ?? {};
    return plugin === undefined || spec === undefined || plugin.isAttached?.(spec) !== false;
  }

  /** Nothing of the Pod is mounted. */
  get isEmpty(): boolean {
    return this.#workers.size === 0;
  }

  get hasClaims(): boolean {
    return this.#claims.size > 0;
  }

  close(): void {
    for (const claim of this.#claims.values()) claim.close();
    for (const worker of this.#workers.values()) worker.close();
  }

  #unmounted(): string[] {
    if (this.pod === undefined) return [];
    const names = expectedVolumes(this.pod).map(({ name }) => name);
    return names.filter((name) => this.#workerOf(name)?.isMounted !== true);
  }
}

export interface WaitOptions {
  signal?: AbortSignal | undefined;
  timeoutMs: number;
}

/** How far a volume is from what it should be. */
export interface VolumeStanding {
  /** As upstream's metrics have it: `kubernetes.io/configmap`, `kubernetes.io/csi:<driver>`. */
  pluginName: string;
  isThere: boolean;
  isWanted: boolean;
}

const fullPluginName = ({ name }: VolumePlugin, spec: VolumeSpec | undefined): string => {
  const driver = spec?.volume.csi?.driver ?? spec?.persistentVolume?.spec?.csi?.driver;
  return driver === undefined ? name : `${name}:${driver}`;
};

const workerKey = ({ name, mode = 'Filesystem' }: VolumePlugin, volumeName: string): string =>
  `${mode}/${name}/${volumeName}`;

type AnyContainer = Pick<Container, 'volumeMounts' | 'volumeDevices' | 'env'>;

const containersOf = ({ spec }: Pod): AnyContainer[] => [
  ...(spec?.initContainers ?? []),
  ...(spec?.containers ?? []),
  ...(spec?.ephemeralContainers ?? []),
];

/** The Pod's volumes that some container mounts; the others are nobody's, and are not set up (upstream too). */
const expectedVolumes = (pod: Pod): Volume[] => {
  const used = new Set(
    containersOf(pod).flatMap(({ volumeMounts = [], volumeDevices = [], env = [] }) => [
      ...volumeMounts.map(({ name }) => name),
      ...volumeDevices.map(({ name }) => name),
      ...env.map(({ valueFrom }) => valueFrom?.fileKeyRef?.volumeName),
    ]),
  );
  return (pod.spec?.volumes ?? []).filter(({ name }) => used.has(name));
};

/** How the Pod's containers use a volume. */
const useOf = (pod: Pod, volumeName: string): { asDirectory: boolean; asDevice: boolean } => {
  const isNamed = ({ name }: { name: string }) => name === volumeName;
  return {
    asDirectory: containersOf(pod).some(({ volumeMounts = [] }) => volumeMounts.some(isNamed)),
    asDevice: containersOf(pod).some(({ volumeDevices = [] }) => volumeDevices.some(isNamed)),
  };
};

/** What a downward API volume may show of the Pod. */
const contentOf = ({ metadata, spec }: Pod): string =>
  JSON.stringify([
    metadata?.labels,
    metadata?.annotations,
    [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ resources }) => resources),
  ]);
