import { createBackOff } from '../../client/back-off.ts';
import type { Clock } from '../../client/clock.ts';
import { quantityValue } from '../../api/quantity.ts';
import type { Pod } from '../../api/types.ts';
import type { SetUpOptions, VolumePlace, VolumePlugin, VolumeServices } from './plugin.ts';
import type { VolumeSpec } from './volume-spec.ts';

export interface VolumeWorkerOptions {
  place: VolumePlace;
  plugin: VolumePlugin;
  services: VolumeServices;
  clock: Clock;
  /** The volume was mounted, has failed, or is gone. */
  onChange: () => void;
  /** setUp or resize has failed and will be tried again. */
  onSetUpError: (error: unknown, pod: Pod) => void;
  /** tearDown has failed and will be tried again. */
  onTearDownError: (error: unknown) => void;
}

/** Upstream's pkg/util/goroutinemap/exponentialbackoff: 500 ms, doubling up to 2 min 2 s. */
const createVolumeBackOff = () => createBackOff({ initialMs: 500, capMs: 122_000, factor: 2, jitter: 0 });

/**
 * Brings one volume of one Pod to where it should be, one operation at a time.
 *
 *               want()            ok
 *      absent ─────────▶ setUp ────────▶ mounted ──(Pod or object changed, token due)──▶ setUp again
 *        ▲                │ error: told,      └────(PersistentVolume has grown)─────────▶ resize
 *        │                │ then back-off, or wake()
 *        │ ok             ▼
 *     tearDown ◀───── unwant(), which ends a running setUp
 *        └── error: told, then back-off
 *
 * After a restart a volume found on disk begins as `uncertain`: it is absent until setUp, which is idempotent, says that
 * it is whole; and it is torn down if nobody wants it.
 */
export class VolumeWorker {
  readonly place: VolumePlace;
  readonly plugin: VolumePlugin;
  readonly #options: VolumeWorkerOptions;
  readonly #backOff = createVolumeBackOff();
  readonly #stopping = new AbortController();
  #wanted: { pod: Pod; spec: VolumeSpec } | undefined;
  #mounted = false;
  #resizeDue = false;
  /** When it is set up again although nobody asks for it, in milliseconds since the Unix epoch. */
  #refreshAtMs = Infinity;
  #gone = false;
  /** The last try has failed. */
  #failed = false;
  #unwanted = false;
  #due = false;
  #running = false;
  #closed = false;
  #cancelTimer: (() => void) | undefined;

  constructor(options: VolumeWorkerOptions) {
    this.place = options.place;
    this.plugin = options.plugin;
    this.#options = options;
  }

  /** Set up at least once, and not to be taken away since. */
  get isMounted(): boolean {
    return this.#mounted && !this.#unwanted;
  }

  /** Set up at least once, and not taken away since. */
  get isThere(): boolean {
    return this.#mounted;
  }

  /** A Pod wants it, whether it is there or not. */
  get isWanted(): boolean {
    return this.#wanted !== undefined && !this.#unwanted;
  }

  get isGone(): boolean {
    return this.#gone;
  }

  /** What the volume is; undefined for one found on disk that no Pod has claimed yet. */
  get spec(): VolumeSpec | undefined {
    return this.#wanted?.spec;
  }

  /** The Pod wants the volume. Its content is looked at again when `changed` says that the Pod's own part has changed. */
  want(pod: Pod, spec: VolumeSpec, { changed }: { changed: boolean }): void {
    const before = this.#wanted?.spec;
    this.#wanted = { pod, spec };
    if (before === undefined || (changed && this.plugin.requiresRemount)) this.wake();
    else if (this.#mounted && this.#mayResize(before, spec)) {
      this.#resizeDue = true;
      this.#backOff.reset();
      this.#trigger();
    }
  }

  /** Sets up again at once, without waiting for the back-off to end. */
  wake(): void {
    if (this.#wanted === undefined || this.#unwanted) return;
    if (this.#mounted && !this.plugin.requiresRemount && !this.#resizeDue) return;
    this.#backOff.reset();
    this.#trigger();
  }

  /** What failed is tried again at once: whatever was in the way may be gone. */
  retry(): void {
    if (this.#failed) this.#trigger();
  }

  /** Takes the volume away; isGone tells when it is. */
  unwant(): void {
    if (this.#unwanted) return;
    this.#unwanted = true;
    this.#backOff.reset();
    this.#stopping.abort(new Error('the volume is no longer wanted'));
    this.#trigger();
  }

  /** Stops working, and leaves the volume as it is. */
  close(): void {
    this.#closed = true;
    this.#stopping.abort(new Error('the volume manager is closed'));
    this.#cancelTimer?.();
  }

  #trigger(): void {
    this.#cancelTimer?.();
    this.#due = true;
    if (this.#running) return;
    this.#running = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    while (this.#due && !this.#closed && !this.#gone) {
      this.#due = false;
      await this.#step();
      this.#options.onChange();
    }
    this.#running = false;
  }

  #step(): Promise<void> {
    if (this.#unwanted) return this.#tearDown();
    // First: what a driver refuses to make larger must not keep it from new tokens.
    const isStale = this.#refreshAtMs <= this.#options.clock.now();
    return this.#resizeDue && !isStale ? this.#resize() : this.#setUp();
  }

  async #setUp(): Promise<void> {
    const options = this.#setUpOptions();
    if (options === undefined) return;
    try {
      const result = await this.plugin.setUp(options);
      this.#mounted = true;
      this.#refreshAtMs = Math.max(this.#options.clock.now() + 1000, result?.refreshAtMs ?? Infinity);
      // It may have grown before the kubelet began anew, or while it was set up.
      const { spec } = this.#wanted ?? options;
      const mayHaveGrown = result?.wasMounted === true || spec !== options.spec;
      this.#resizeDue ||= mayHaveGrown && this.#mayResize(options.spec, spec);
      if (this.#resizeDue) this.#due = true;
      else this.#succeeded();
    } catch (error) {
      this.#setUpFailed(error, options.pod);
    }
  }

  async #resize(): Promise<void> {
    const options = this.#setUpOptions();
    if (options === undefined) return;
    this.#resizeDue = false;
    try {
      await this.plugin.resize?.(options);
      this.#succeeded();
    } catch (error) {
      this.#resizeDue = true;
      this.#setUpFailed(error, options.pod);
    }
  }

  #setUpOptions(): SetUpOptions | undefined {
    const { place, services } = this.#options;
    if (this.#wanted === undefined) return undefined;
    const { pod, spec } = this.#wanted;
    const retry = () => this.retry();
    return { ...place, pod, spec, volume: spec.volume, services, signal: this.#stopping.signal, retry };
  }

  #succeeded(): void {
    this.#failed = false;
    this.#backOff.reset();
    const inMs = this.#refreshAtMs - this.#options.clock.now();
    if (inMs < Infinity) this.#triggerIn(Math.max(0, inMs));
  }

  #mayResize(before: VolumeSpec, after: VolumeSpec): boolean {
    return this.plugin.resize !== undefined && mayResize(before, after);
  }

  #setUpFailed(error: unknown, pod: Pod): void {
    if (this.#stopping.signal.aborted) return;
    this.#failed = true;
    const refreshInMs = this.#refreshAtMs - this.#options.clock.now();
    this.#triggerIn(Math.min(this.#backOff.nextMs(), refreshInMs > 0 ? refreshInMs : Infinity));
    this.#options.onSetUpError(error, pod);
  }

  async #tearDown(): Promise<void> {
    try {
      await this.plugin.tearDown(this.place);
      this.#mounted = false;
      this.#gone = true;
    } catch (error) {
      this.#failed = true;
      this.#triggerIn(this.#backOff.nextMs());
      this.#options.onTearDownError(error);
    }
  }

  #triggerIn(delayMs: number): void {
    if (this.#due || this.#closed) return;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.after(delayMs, () => this.#trigger());
  }
}

/** The PersistentVolume has grown, or its claim says that the node has its part of the growing to do. */
const mayResize = (before: VolumeSpec, after: VolumeSpec): boolean => {
  const capacity = after.persistentVolume?.spec?.capacity?.['storage'];
  if (capacity === undefined) return false;
  const claimed = after.claim?.status?.capacity?.['storage'];
  const previous = before.persistentVolume?.spec?.capacity?.['storage'];
  const isLarger = (size: string | undefined) =>
    size !== undefined && quantityValue(capacity) > quantityValue(size);
  return isLarger(claimed) || isLarger(previous);
};
