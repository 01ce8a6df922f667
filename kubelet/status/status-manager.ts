import { isDeepStrictEqual } from 'node:util';
import { StatusError } from '../../api/status.ts';
import type { Pod, PodStatus } from '../../api/types.ts';
import { createBackOff } from '../../client/back-off.ts';
import { isNotFound } from '../../client/errors.ts';
import { pods as podsResource } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import { wait } from '../../client/clock.ts';
import type { Clock } from '../../client/clock.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import { isMirrorPod, isTerminalPhase } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import { newEnds } from './container-ends.ts';
import type { ContainerEnd } from './container-ends.ts';
import { statusPatch } from './status-patch.ts';
import { terminatedStatus } from './terminated-status.ts';

/** The kubelet's own picture of each Pod's status, written to the API server in the background. */
export interface StatusManager {
  get(uid: string): PodStatus | undefined;
  set(pod: KubeletPod, status: PodStatus): void;
  /** Everything of the Pod is cleaned up: with a deletion timestamp its object is deleted for good. */
  finish(pod: KubeletPod): void;
  /** The API server's object has changed; what it lacks of our status is written again. */
  observe(uid: string): void;
  forget(uid: string): void;
  stop(): void;
}

export interface StatusManagerOptions {
  client: Client;
  clock: Clock;
  log: KubeletLog;
  /** The newest object of this Pod in the API server; of a static Pod its mirror. */
  apiPod(uid: string): KubeletPod | undefined;
  /** A container of the Pod may still run: then it may not become terminal for the API. */
  couldHaveRunningContainers: (uid: string) => boolean;
  /** Called once for each container that has ended. */
  onContainerEnd?: (end: ContainerEnd) => void;
}

/** A server that can't be reached is tried on at this pace; one that refuses gets as slow as upstream's syncPeriod. */
const retryMs = 500;
const refusedRetryMs = 10_000;

interface Entry {
  status: PodStatus;
  finished: boolean;
  /** What the API server answered to the last patch. */
  written?: Pod;
  dirty: boolean;
  /** Ends the wait for the next try. */
  news?: AbortController;
  writing?: Promise<void> | undefined;
  name: string;
  namespace: string;
}

/**
 * One writer per Pod: a status that changes while a patch is under way is written right after it, and what was
 * overtaken is never sent. No timers on the way.
 */
export function createStatusManager(options: StatusManagerOptions): StatusManager {
  const entries = new Map<string, Entry>();
  const stopping = new AbortController();
  const write = (uid: string, entry: Entry) => {
    entry.dirty = true;
    entry.writing ??= drain(uid, entry);
  };
  const drain = async (uid: string, entry: Entry): Promise<void> => {
    const backOff = createBackOff({ initialMs: retryMs, capMs: refusedRetryMs, jitter: 0 });
    while (entry.dirty && entries.get(uid) === entry && !stopping.signal.aborted) {
      entry.dirty = false;
      try {
        if (await writeOnce(options, { uid, entry, signal: stopping.signal })) entries.delete(uid);
        backOff.reset();
      } catch (error) {
        if (stopping.signal.aborted) break;
        options.log.warn({ pod: entry.name, error: messageOf(error) }, 'cannot write the status of a pod');
        entry.dirty = true;
        entry.news = new AbortController();
        await wait({
          clock: options.clock,
          delayMs: error instanceof StatusError ? backOff.nextMs() : retryMs,
          signal: AbortSignal.any([stopping.signal, entry.news.signal]),
        });
      }
    }
    entry.writing = undefined;
  };
  const entryOf = (pod: KubeletPod): Entry => {
    const { uid, name, namespace } = pod.metadata;
    const existing = entries.get(uid);
    if (existing) return existing;
    const created: Entry = { status: pod.status, finished: false, dirty: false, name, namespace };
    entries.set(uid, created);
    return created;
  };
  const take = (entry: Entry, status: PodStatus) => {
    for (const end of newEnds(entry.status, status)) options.onContainerEnd?.(end);
    entry.status = status;
  };
  return {
    get: (uid) => entries.get(uid)?.status,
    set(pod, status) {
      const entry = entryOf(pod);
      if (!isDeepStrictEqual(entry.status, status)) entry.news?.abort();
      take(entry, status);
      write(pod.metadata.uid, entry);
    },
    finish(pod) {
      const entry = entryOf(pod);
      entry.finished = true;
      entry.news?.abort();
      take(entry, terminatedStatus(pod, entry.status));
      write(pod.metadata.uid, entry);
    },
    observe(uid) {
      const entry = entries.get(uid);
      if (entry) write(uid, entry);
    },
    forget: (uid) => entries.delete(uid),
    stop: () => stopping.abort(),
  };
}

/** Writes what differs; resolves with true when the Pod is gone from the API server and needs no status any more. */
async function writeOnce(
  options: StatusManagerOptions,
  { uid, entry, signal }: { uid: string; entry: Entry; signal: AbortSignal },
): Promise<boolean> {
  const base = options.apiPod(uid);
  // A static Pod without a mirror, or a Pod that is gone from the API: nobody to tell.
  if (!base) return false;
  const resource = options.client.resource(podsResource);
  const { name, namespace } = base.metadata;
  const wanted = statusForApi(options, { uid, entry, base });
  let current = newerOf(base, entry.written);
  const patch = statusPatch(current.status ?? {}, wanted);
  if (patch) {
    try {
      current = await resource.patch({
        name,
        namespace,
        type: 'strategic',
        subresource: 'status',
        patch: { metadata: { uid: base.metadata.uid }, status: patch },
        signal,
      });
      entry.written = current;
    } catch (error) {
      // A static Pod outlives its mirror: the next one shows the same status.
      if (isNotFound(error) || isOtherPod(error)) return !isMirrorPod(base);
      throw error;
    }
  }
  if (!mayBeDeleted(entry, current)) return false;
  try {
    await resource.delete({
      name,
      namespace,
      gracePeriodSeconds: 0,
      preconditions: { uid: base.metadata.uid },
      signal,
    });
  } catch (error) {
    if (!isNotFound(error) && !isOtherPod(error)) throw error;
  }
  return true;
}

/** The UID precondition failed: another Pod of that name is there now. */
const isOtherPod = (error: unknown): boolean =>
  error instanceof Error &&
  'status' in error &&
  (error.status as { code?: number }).code === 409 &&
  /uid/i.test(error.message);

/** Our own patch may be ahead of the watch. */
const newerOf = (observed: Pod, written: Pod | undefined): Pod =>
  written && versionOf(written) > versionOf(observed) ? written : observed;

const versionOf = ({ metadata }: Pod): bigint => BigInt(metadata?.resourceVersion || 0);

const mayBeDeleted = ({ finished }: Entry, pod: Pod): boolean =>
  finished &&
  pod.metadata?.deletionTimestamp !== undefined &&
  !isMirrorPod(pod) &&
  isTerminalPhase(pod.status?.phase);

/** A Pod becomes terminal for the API only when nothing of it runs any more (upstream: mergePodStatus). */
function statusForApi(
  { couldHaveRunningContainers }: StatusManagerOptions,
  { uid, entry, base }: { uid: string; entry: Entry; base: KubeletPod },
): PodStatus {
  const { status } = entry;
  const becomesTerminal = !isTerminalPhase(base.status.phase) && isTerminalPhase(status.phase);
  if (!becomesTerminal || !couldHaveRunningContainers(uid)) return status;
  const { reason: _reason, message: _message, ...rest } = status;
  const { phase = 'Running', reason, message } = base.status;
  return { ...rest, phase, ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
}
