import { createBackOff } from '../../../client/back-off.ts';
import type { Clock } from '../../../client/clock.ts';

/** Whether the volume is staged on this node; `uncertain`: it may be, and will be staged again or unstaged. */
export type DeviceState = 'absent' | 'uncertain' | 'staged';

export interface DeviceOptions {
  /** As in node.status.volumesInUse: `kubernetes.io/csi/<driver>^<handle>`. */
  uniqueName: string;
  /** Whether a controller attaches it, as far as is known now. */
  isAttachable: () => boolean;
  /** Takes the staged volume away; idempotent, and must work with nothing but what is on disk. */
  unstage: () => Promise<void>;
  state?: DeviceState;
}

export interface DeviceContext {
  clock: Clock;
  /** Its state or its users have changed. */
  onChange: () => void;
  onUnstageError: (error: unknown) => void;
}

/**
 * A volume as the node has it, once for all Pods. All work on it, staging and the Pods' publishing, is done one after the other
 * (upstream's nestedpendingoperations, which has one operation at a time for a volume that can be attached).
 *
 *              stage() began         ok
 *     absent ───────────────▶ uncertain ─────▶ staged
 *       ▲ ▲                    │  │  ▲            │
 *       │ └── final error ─────┘  │  └────────────┤ unstage began, as soon as no Pod holds it
 *       └──────── unstage ok ─────┘◀──────────────┘ error: back-off, unless a Pod takes hold of it again
 *
 * After a restart a volume whose notes are on disk begins as `staged` when they say that it was staged to the end since the machine
 * was booted, else as `uncertain`; the Pods that have it published hold it.
 */
export class Device {
  readonly uniqueName: string;
  /** Its driver has said that it can't grow while it is in use here; that holds until it is unstaged. */
  growsOnlyUnused = false;
  /** The last try to make it larger here has failed, and nothing of it is going on. */
  failedToGrow = false;
  readonly #options: DeviceOptions;
  readonly #context: DeviceContext;
  readonly #backOff = createBackOff({ initialMs: 500, capMs: 122_000, factor: 2, jitter: 0 });
  /** UIDs of the Pods that want it or have it. */
  readonly #holders = new Set<string>();
  /** UIDs of the Pods for which it is or may be published. */
  readonly #published = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #state: DeviceState;
  #last: Promise<unknown> = Promise.resolve();
  #cancelRetry = () => {};
  #unstaging = false;
  #closed = false;

  constructor(options: DeviceOptions, context: DeviceContext) {
    this.uniqueName = options.uniqueName;
    this.#options = options;
    this.#context = context;
    this.#state = options.state ?? 'absent';
  }

  get state(): DeviceState {
    return this.#state;
  }

  get isAttachable(): boolean {
    return this.#options.isAttachable();
  }

  /** Some Pod wants it, or it isn't unstaged yet: it must stay attached. */
  get isInUse(): boolean {
    return this.#holders.size > 0 || this.#state !== 'absent';
  }

  /** The Pod wants the volume: from now on it is in use. Idempotent. */
  hold(podUid: string): void {
    if (this.#holders.has(podUid)) return;
    this.#holders.add(podUid);
    this.#context.onChange();
  }

  /** The Pod has the volume published, or may have. */
  markPublished(podUid: string): void {
    this.#published.add(podUid);
  }

  /** Some other Pod has it. */
  isPublishedElsewhere(podUid: string): boolean {
    return [...this.#published].some((uid) => uid !== podUid);
  }

  /** Calls the listener when the next Pod has let go of it. */
  whenReleased(listener: () => void): void {
    this.#waiting.add(listener);
  }

  /** Nothing of the volume is left in the Pod. When it was the last Pod, the volume is unstaged in the background. */
  release(podUid: string): void {
    this.#published.delete(podUid);
    if (!this.#holders.delete(podUid) && this.#state === 'absent') return;
    this.#context.onChange();
    this.unstageUnlessHeld();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const listener of waiting) listener();
  }

  /** Does the work when all work before it is done. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Stages the volume unless it is staged; to be called in turn. `work` calls `begin` before it changes anything, and may
   * throw before that without consequence. `isFinal` says of its error that nothing was done and nothing is going on.
   */
  async stage(
    work: (begin: () => void) => Promise<void>,
    isFinal: (error: unknown) => boolean,
  ): Promise<void> {
    if (this.#state === 'staged') return;
    const before = this.#state;
    let begun = false;
    try {
      await work(() => {
        begun = true;
        this.#become('uncertain');
      });
      this.#become('staged');
    } catch (error) {
      // What was uncertain before stays so: an earlier call may have left something.
      if (begun && before === 'absent' && isFinal(error)) this.#become('absent');
      throw error;
    }
  }

  /** Unstages in the background when no Pod holds the volume; tries until it is done. */
  unstageUnlessHeld(): void {
    this.#cancelRetry();
    if (this.#unstaging || this.#closed || this.#holders.size > 0 || this.#state === 'absent') return;
    this.#unstaging = true;
    void this.inTurn(() => this.#unstage()).finally(() => {
      this.#unstaging = false;
    });
  }

  async #unstage(): Promise<void> {
    if (this.#holders.size > 0 || this.#closed) return;
    try {
      this.#become('uncertain');
      await this.#options.unstage();
      this.growsOnlyUnused = false;
      this.failedToGrow = false;
      this.#backOff.reset();
      this.#become('absent');
    } catch (error) {
      this.#cancelRetry = this.#context.clock.after(this.#backOff.nextMs(), () => this.unstageUnlessHeld());
      this.#context.onUnstageError(error);
    }
  }

  /** What has failed is tried at once. */
  retry(): void {
    this.#backOff.reset();
    this.unstageUnlessHeld();
  }

  /** Stops working, and leaves the volume as it is. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry();
  }

  #become(state: DeviceState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#context.onChange();
  }
}
