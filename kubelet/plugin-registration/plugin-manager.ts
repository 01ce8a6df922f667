import { join } from 'node:path';
import { createBackOff } from '../../client/back-off.ts';
import type { BackOff } from '../../client/back-off.ts';
import type { Clock } from '../../client/clock.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import { followSockets } from './follow-sockets.ts';
import type { FoundSocket } from './follow-sockets.ts';
import { deregisterDriver, registerDriver } from './register-driver.ts';
import type { RegistrationContext } from './register-driver.ts';

export interface PluginManagerOptions extends RegistrationContext {
  /** The kubelet's directory. */
  rootDir: string;
  clock: Clock;
  log: KubeletLog;
}

const registrationFolder = (rootDir: string): string => join(rootDir, 'plugins_registry');

/** Upstream's goroutinemap back-off; begun small, because a driver often is ready a moment after its registrar. */
const createRegistrationBackOff = () =>
  createBackOff({ initialMs: 100, capMs: 122_000, factor: 2, jitter: 0 });

/**
 * Keeps the drivers registered whose sockets are in plugins_registry/. One socket's life:
 *
 *            socket appears              ok
 *     absent ──────────────▶ registering ─────▶ registered
 *        ▲                    │ error: back-off      │ socket gone, or another in its place
 *        └────────────────────┴── deregistering ◀────┘
 */
export const startPluginManager = (options: PluginManagerOptions): { stop(): void } => {
  const followed = new Map<string, FollowedSocket>();
  const folder = registrationFolder(options.rootDir);
  const follower = followSockets(folder, (sockets) => {
    const present = new Map(sockets.map((socket) => [socket.path, socket]));
    for (const { path } of sockets) {
      if (!followed.has(path)) followed.set(path, new FollowedSocket(options));
    }
    for (const [path, socket] of followed) socket.want(present.get(path));
  });
  return {
    stop() {
      follower.stop();
      for (const socket of followed.values()) socket.stop();
    },
  };
};

class FollowedSocket {
  readonly #options: PluginManagerOptions;
  readonly #backOff: BackOff = createRegistrationBackOff();
  #wanted: FoundSocket | undefined;
  #registered: { name: string; identity: string } | undefined;
  #running = false;
  #stopped = false;
  #cancelRetry = () => {};

  constructor(options: PluginManagerOptions) {
    this.#options = options;
  }

  want(socket: FoundSocket | undefined): void {
    if (socket?.identity === this.#wanted?.identity) return;
    this.#wanted = socket;
    this.#backOff.reset();
    this.#work();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
  }

  #work(): void {
    this.#cancelRetry();
    if (this.#running || this.#stopped) return;
    this.#running = true;
    void this.#run().finally(() => {
      this.#running = false;
    });
  }

  async #run(): Promise<void> {
    const { log, clock } = this.#options;
    while (!this.#stopped && this.#wanted?.identity !== this.#registered?.identity) {
      try {
        await this.#step();
        this.#backOff.reset();
      } catch (error) {
        const words = error instanceof Error ? error.message : String(error);
        log.warn({ error: words }, 'a plugin could not be registered');
        this.#cancelRetry = clock.after(this.#backOff.nextMs(), () => this.#work());
        return;
      }
    }
  }

  async #step(): Promise<void> {
    const { log } = this.#options;
    if (this.#registered !== undefined) {
      const { name } = this.#registered;
      this.#registered = undefined;
      await deregisterDriver(this.#options, name);
      log.info({ driver: name }, 'CSI driver deregistered');
    }
    const socket = this.#wanted;
    if (socket === undefined) return;
    const name = await registerDriver(this.#options, socket.path);
    this.#registered = { name, identity: socket.identity };
    log.info({ driver: name }, 'CSI driver registered');
  }
}
