import type { Container, Pod, Volume } from '../../api/types.ts';
import { referenceKey, volumeReferences } from '../objects/pod-references.ts';
import type { ObjectChange } from '../objects/object-manager.ts';
import type { MountedVolume } from './container-mounts.ts';
import { deadlineExceeded, MountError } from './mount-error.ts';
import { pluginFor } from './plugins.ts';
import type { VolumePlugin } from './plugin.ts';
import type { VolumeWorker } from './volume-worker.ts';

export interface PodVolumesOptions {
  uid: string;
  plugins: readonly VolumePlugin[];
  makeWorker: (options: { plugin: VolumePlugin; volumeName: string; onChange: () => void }) => VolumeWorker;
}

/** The volumes of one Pod: what it wants of them, and what is there. */
export class PodVolumes {
  readonly uid: string;
  /** As last synced; undefined for a Pod of which only its directories are known, after a restart. */
  pod: Pod | undefined;
  /** unmountAll was called: nothing is set up any more. */
  ending = false;
  readonly #options: PodVolumesOptions;
  readonly #workers = new Map<string, VolumeWorker>();
  /** Volumes that no plugin takes, with the reason. */
  readonly #unprocessed = new Map<string, string>();
  readonly #waiters = new Set<() => void>();
  #content = '';

  constructor(options: PodVolumesOptions) {
    this.uid = options.uid;
    this.#options = options;
  }

  /** Takes over a volume that is on disk. */
  adopt(plugin: VolumePlugin, volumeName: string): void {
    this.#worker(plugin, volumeName);
  }

  /** Sets up what the Pod has, and takes away what it has no more. */
  sync(pod: Pod): void {
    if (this.ending) return;
    this.pod = pod;
    const content = contentOf(pod);
    const changed = content !== this.#content;
    this.#content = content;
    const volumes = expectedVolumes(pod);
    const names = new Set(volumes.map(({ name }) => name));
    this.#unprocessed.clear();
    for (const volume of volumes) this.#want(pod, volume, changed);
    for (const [name, worker] of this.#workers) if (!names.has(name)) worker.unwant();
  }

  #want(pod: Pod, volume: Volume, changed: boolean): void {
    try {
      const plugin = pluginFor(volume, this.#options.plugins);
      const reads = volume.downwardAPI !== undefined || volume.projected !== undefined;
      this.#worker(plugin, volume.name).want(pod, volume, { changed: changed && reads });
    } catch (error) {
      this.#unprocessed.set(volume.name, error instanceof Error ? error.message : String(error));
    }
  }

  #worker(plugin: VolumePlugin, volumeName: string): VolumeWorker {
    const existing = this.#workers.get(volumeName);
    if (existing !== undefined) return existing;
    const onChange = () => this.#changed(volumeName);
    const worker = this.#options.makeWorker({ plugin, volumeName, onChange });
    this.#workers.set(volumeName, worker);
    return worker;
  }

  #changed(volumeName: string): void {
    if (this.#workers.get(volumeName)?.isGone === true) this.#workers.delete(volumeName);
    for (const look of this.#waiters) look();
  }

  /** An object has changed: the volumes that show it are set up again. */
  objectChanged({ kind, name }: ObjectChange): void {
    const key = referenceKey({ kind, name });
    for (const worker of this.#workers.values()) {
      const { volume } = worker;
      if (volume === undefined) continue;
      if (volumeReferences(volume).some((reference) => referenceKey(reference) === key)) worker.wake();
    }
  }

  /** Resolves when all volumes that the Pod's containers mount are there; rejects with MountError or the signal's reason. */
  async waitForMount({ signal, timeoutMs }: WaitOptions): Promise<Map<string, MountedVolume>> {
    const finished = await this.#wait({ signal, timeoutMs }, () => {
      return this.#unprocessed.size > 0 || this.ending || this.#unmounted().length === 0;
    });
    const unmounted = this.#unmounted();
    if (unmounted.length === 0) return this.mounted();
    const reasons = [...this.#unprocessed.values()];
    const unprocessed = [...this.#unprocessed.keys()];
    const why =
      reasons.length > 0 ? reasons.join('; ') : finished ? 'the Pod is terminating' : deadlineExceeded;
    throw new MountError({ unmounted, unprocessed, why, interrupted: !finished });
  }

  /** Takes all volumes away; resolves when they are. Rejects with Error (`mounted volumes=[x]: …`). */
  async unmountAll({ signal, timeoutMs }: WaitOptions): Promise<void> {
    this.ending = true;
    for (const worker of this.#workers.values()) worker.unwant();
    for (const look of this.#waiters) look();
    const finished = await this.#wait({ signal, timeoutMs }, () => this.#workers.size === 0);
    if (finished) return;
    throw new Error(`mounted volumes=[${[...this.#workers.keys()].sort().join(' ')}]: ${deadlineExceeded}`);
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

  /** The volumes that are there, by name. */
  mounted(): Map<string, MountedVolume> {
    const mounted = new Map<string, MountedVolume>();
    for (const [name, { isMounted, volume, plugin, place }] of this.#workers) {
      if (!isMounted || volume === undefined) continue;
      const hostPath = plugin.hostPath?.(volume) ?? place.directory;
      mounted.set(name, { name, hostPath, readOnly: plugin.readOnly, volume });
    }
    return mounted;
  }

  /** Something of the Pod may be mounted. */
  get isEmpty(): boolean {
    return this.#workers.size === 0;
  }

  close(): void {
    for (const worker of this.#workers.values()) worker.close();
  }

  #unmounted(): string[] {
    if (this.pod === undefined) return [];
    const names = expectedVolumes(this.pod).map(({ name }) => name);
    return names.filter((name) => this.#workers.get(name)?.isMounted !== true);
  }
}

export interface WaitOptions {
  signal?: AbortSignal | undefined;
  timeoutMs: number;
}

/** The Pod's volumes that some container mounts; the others are nobody's, and are not set up (upstream too). */
const expectedVolumes = ({ spec }: Pod): Volume[] => {
  const containers: Pick<Container, 'volumeMounts' | 'volumeDevices' | 'env'>[] = [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  const used = new Set(
    containers.flatMap(({ volumeMounts = [], volumeDevices = [], env = [] }) => [
      ...volumeMounts.map(({ name }) => name),
      ...volumeDevices.map(({ name }) => name),
      ...env.map(({ valueFrom }) => valueFrom?.fileKeyRef?.volumeName),
    ]),
  );
  return (spec?.volumes ?? []).filter(({ name }) => used.has(name));
};

/** What a downward API volume may show of the Pod. */
const contentOf = ({ metadata, spec }: Pod): string =>
  JSON.stringify([
    metadata?.labels,
    metadata?.annotations,
    [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ resources }) => resources),
  ]);
