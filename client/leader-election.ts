import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { Lease, LeaseSpec } from '../api/types.ts';
import { microTimeOf, systemClock, wait } from './clock.ts';
import type { Clock } from './clock.ts';
import { isNotFound } from './errors.ts';
import { leases } from './resources.ts';
import type { Client } from './rest.ts';
import type { ResourceClient } from './resource-client.ts';

export interface LeaderElectionOptions {
  client: Client;
  /** The Lease that the candidates share. */
  name: string;
  namespace?: string;
  /** Who we are; the host's name and a random UUID when not given. */
  identity?: string;
  /** How long a silent leader is respected; upstream's 15 s, 10 s and 2 s. */
  leaseDurationMs?: number;
  /** How long the leader tries to renew before it gives up. */
  renewDeadlineMs?: number;
  retryPeriodMs?: number;
  clock?: Clock;
  /** Runs while we lead; its signal is aborted when the lease is lost or `signal` is. */
  lead: (signal: AbortSignal) => Promise<void> | void;
  onError?: (error: unknown) => void;
  signal: AbortSignal;
}

/** What we last saw of the Lease, and when by our own clock: the holder's clock is never trusted. */
interface Observed {
  lease: Lease | undefined;
  atMs: number;
}

/**
 * Takes the Lease, calls `lead`, and renews until it is lost or `signal` is aborted; then gives it back, so
 * that the next candidate needn't wait for its end. Resolves after that: `true` when the lease was lost.
 *
 *     candidate ──acquired──▶ leader ──renewal failed for renewDeadlineMs──▶ lost
 *                               └──signal aborted──▶ released
 */
export const runLeaderElection = async (options: LeaderElectionOptions): Promise<boolean> => {
  const { clock = systemClock, retryPeriodMs = 2000, renewDeadlineMs = 10_000, signal } = options;
  const election = createElection(options);
  while (!signal.aborted && !(await election.tryAcquireOrRenew(renewDeadlineMs))) {
    await wait({ clock, delayMs: retryPeriodMs * (1 + Math.random() * 0.2), signal });
  }
  if (signal.aborted) return false;

  const leading = new AbortController();
  const led = (async () => options.lead(leading.signal))();
  led.catch((error: unknown) => options.onError?.(error));
  let renewedAtMs = clock.now();
  while (!signal.aborted && clock.now() - renewedAtMs < renewDeadlineMs) {
    await wait({ clock, delayMs: retryPeriodMs, signal });
    if (signal.aborted) break;
    const leftMs = renewedAtMs + renewDeadlineMs - clock.now();
    if (leftMs > 0 && (await election.tryAcquireOrRenew(leftMs))) renewedAtMs = clock.now();
  }
  leading.abort(new Error(`no longer the leader of ${options.name}`));
  await led.catch(() => undefined); // told above
  await election.release();
  return !signal.aborted;
};

export interface WhileElectedOptions extends Pick<LeaderElectionOptions, 'client' | 'name' | 'onError'> {
  /** Begins the work of a leader. */
  start: () => { stop(): Promise<void> };
}

/** Works whenever it leads, and is a candidate again after a lost lease, until stopped. */
export const runWhileElected = ({ start, ...election }: WhileElectedOptions): { stop(): Promise<void> } => {
  const stopping = new AbortController();
  const campaign = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await runLeaderElection({
        ...election,
        signal: stopping.signal,
        async lead(leading) {
          const running = start();
          await new Promise<void>((resolve) =>
            leading.addEventListener('abort', () => resolve(), { once: true }),
          );
          await running.stop();
        },
      });
    }
  };
  const ended = campaign();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
};

const createElection = ({
  client,
  name,
  namespace = 'kube-system',
  identity = `${hostname()}_${randomUUID()}`,
  leaseDurationMs = 15_000,
  renewDeadlineMs = 10_000,
  clock = systemClock,
  onError,
}: LeaderElectionOptions) => {
  const resource: ResourceClient<Lease> = client.resource(leases);
  let observed: Observed = { lease: undefined, atMs: 0 };

  const observe = (lease: Lease) => {
    if (lease.metadata?.resourceVersion !== observed.lease?.metadata?.resourceVersion) {
      observed = { lease, atMs: clock.now() };
    }
  };

  const specNow = (transitions: number, acquireTime?: string): LeaseSpec => {
    const now = microTimeOf(clock.now());
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.round(leaseDurationMs / 1000),
      acquireTime: acquireTime ?? now,
      renewTime: now,
      leaseTransitions: transitions,
    };
  };

  /** What hangs is given up: others take the lease when it has run out, whatever we still wait for. */
  const within = async <T>(limitMs: number, ask: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const limit = new AbortController();
    const cancel = clock.after(limitMs, () => limit.abort(new Error(`no answer within ${limitMs} ms`)));
    return await ask(limit.signal).finally(cancel);
  };

  const create = (signal: AbortSignal) =>
    resource.create({
      signal,
      object: {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace },
        spec: specNow(0),
      },
    });

  const takeOver = async (lease: Lease, signal: AbortSignal): Promise<boolean> => {
    observe(lease);
    const { holderIdentity = '', leaseTransitions = 0, acquireTime } = lease.spec ?? {};
    const isOurs = holderIdentity === identity;
    const validMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
    if (holderIdentity !== '' && !isOurs && clock.now() < observed.atMs + validMs) return false;
    const spec = isOurs ? specNow(leaseTransitions, acquireTime) : specNow(leaseTransitions + 1);
    observe(await resource.update({ object: { ...lease, spec }, signal }));
    return true;
  };

  const acquireOrRenew = async (signal: AbortSignal): Promise<boolean> => {
    const present = await resource.get({ name, namespace, signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (present !== undefined) return await takeOver(present, signal);
    observe(await create(signal));
    return true;
  };

  const giveBack = async (signal: AbortSignal): Promise<void> => {
    const lease = await resource.get({ name, namespace, signal });
    if (lease.spec?.holderIdentity !== identity) return;
    const now = microTimeOf(clock.now());
    const released = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now };
    await resource.update({ object: { ...lease, spec: released }, signal });
  };

  return {
    /** True when the lease is ours now. */
    async tryAcquireOrRenew(limitMs: number): Promise<boolean> {
      try {
        return await within(limitMs, acquireOrRenew);
      } catch (error) {
        // A Conflict means that another candidate was faster; everything is looked at again next time.
        onError?.(error);
        return false;
      }
    },
    /** Gives the lease back, if it is still ours; errors are told only, since it ends by itself. */
    async release(): Promise<void> {
      try {
        await within(renewDeadlineMs, giveBack);
      } catch (error) {
        onError?.(error);
      }
    },
  };
};
