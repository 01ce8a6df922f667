import { createBackOff } from '../../client/back-off.ts';
import type { Clock } from '../../client/clock.ts';
import type { Pod, Volume } from '../../api/types.ts';
import type { VolumePlace, VolumePlugin, VolumeServices } from './plugin.ts';

export interface VolumeWorkerOptions {
  place: VolumePlace;
  plugin: VolumePlugin;
  services: VolumeServices;
  clock: Clock;
  /** The volume was mounted, has failed, or is gone. */
  onChange: () => void;
  /** setUp has failed and will be tried again. */
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
 *        ▲                │ error: told, then back-off, or wake()
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
  #wanted: { pod: Pod; volume: Volume } | undefined;
  #mounted = false;
  #gone = false;
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

  /** Set up at least once, and not torn down since. */
  get isMounted(): boolean {
    return this.#mounted;
  }

  get isGone(): boolean {
    return this.#gone;
  }

  /** The volume as the Pod has it; undefined for one found on disk that no Pod has claimed yet. */
  get volume(): Volume | undefined {
    return this.#wanted?.volume;
  }

  /** The Pod wants the volume. Its content is looked at again when `changed` says that the Pod's own part has changed. */
  want(pod: Pod, volume: Volume, { changed }: { changed: boolean }): void {
    const first = this.#wanted === undefined;
    this.#wanted = { pod, volume };
    if (first || (changed && this.plugin.requiresRemount)) this.wake();
  }

  /** Sets up again at once, without waiting for the back-off to end. */
  wake(): void {
    if (this.#wanted === undefined || this.#unwanted) return;
    if (this.#mounted && !this.plugin.requiresRemount) return;
    this.#backOff.reset();
    this.#trigger();
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
      await (this.#unwanted ? this.#tearDown() : this.#setUp());
      this.#options.onChange();
    }
    this.#running = false;
  }

  async #setUp(): Promise<void> {
    const { place, plugin, services, clock } = this.#options;
    if (this.#wanted === undefined) return;
    const { pod } = this.#wanted;
    try {
      const signal = this.#stopping.signal;
      const result = await plugin.setUp({ ...place, ...this.#wanted, services, signal });
      this.#mounted = true;
      this.#backOff.reset();
      if (result?.refreshAtMs !== undefined)
        this.#triggerIn(Math.max(1000, result.refreshAtMs - clock.now()));
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#triggerIn(this.#backOff.nextMs());
      this.#options.onSetUpError(error, pod);
    }
  }

  async #tearDown(): Promise<void> {
    try {
      await this.plugin.tearDown(this.place);
      this.#mounted = false;
      this.#gone = true;
    } catch (error) {
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
