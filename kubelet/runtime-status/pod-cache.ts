import type * as cri from '../../runtime/cri/types.ts';
import type { CriClient } from '../cri/cri-client.ts';
import { isNotFound } from '../cri/cri-error.ts';
import { labelNames } from '../containers/labels.ts';
import { sandboxIps, toRuntimeContainer } from './runtime-status.ts';
import type { PodRuntimeStatus, RuntimeContainer } from './runtime-status.ts';

/** What the runtime knows of all Pods, kept up to date by container events and by looking. */
export interface PodCache {
  /** The Pod's status as last seen; undefined when the runtime has nothing of it. */
  get(uid: string): PodRuntimeStatus | undefined;
  uids(): string[];
  all(): PodRuntimeStatus[];
  /** Takes an event in; returns the UID of the Pod whose status is another one now. */
  accept(event: cri.ContainerEventResponse): string | undefined;
  /** Resolves when the cache shows what is wanted; asks the runtime when no event has told it within `timeoutMs`. */
  waitFor(
    uid: string,
    wanted: (status: PodRuntimeStatus | undefined) => boolean,
    timeoutMs?: number,
  ): Promise<void>;
  /** Asks the runtime about one Pod. */
  inspect(uid: string): Promise<PodRuntimeStatus | undefined>;
  /** Asks the runtime about everything; returns the UIDs whose status has changed. */
  relist(): Promise<string[]>;
}

/** One sandbox with its containers; a Pod has several while it changes its sandbox. */
interface SandboxEntry {
  sandbox: cri.PodSandboxStatus;
  containers: RuntimeContainer[];
  /** When this was true, in nanoseconds by the runtime's clock: an event that is older is not taken. */
  at: number;
}

type PodEntry = Map<string, SandboxEntry>;

/** What the runtime answered. Which of two was first is not told by clocks, but by what came while it was asked. */
interface Snapshot {
  pods: Map<string, PodEntry>;
  /** Sandboxes that events have told of meanwhile, and those that were removed. */
  told: Set<string>;
  removed: Set<string>;
}

export function createPodCache({
  cri: client,
  onInspected = () => undefined,
}: {
  cri: CriClient;
  /** Looking at a Pod has shown something new, before its event came. */
  onInspected?: (uid: string) => void;
}): PodCache {
  const pods = new Map<string, PodEntry>();
  const waiting = new Set<{ uid: string; look: () => void }>();
  const asking = new Set<Snapshot>();
  const get = (uid: string) => {
    const entry = pods.get(uid);
    return entry && entry.size > 0 ? statusOf(uid, entry) : undefined;
  };
  const ask = async (labelSelector: Record<string, string>): Promise<Snapshot> => {
    const snapshot: Snapshot = { pods: new Map(), told: new Set(), removed: new Set() };
    asking.add(snapshot);
    try {
      snapshot.pods = await inspectSandboxes(client, labelSelector);
    } finally {
      asking.delete(snapshot);
    }
    return snapshot;
  };
  const take = (uid: string, snapshot: Snapshot) => {
    const before = JSON.stringify(get(uid));
    const entry = merged(pods.get(uid), uid, snapshot);
    if (entry.size === 0) pods.delete(uid);
    else pods.set(uid, entry);
    return JSON.stringify(get(uid)) !== before;
  };
  const inspect = async (uid: string) => {
    if (take(uid, await ask({ [labelNames.podUid]: uid }))) onInspected(uid);
    return get(uid);
  };
  return {
    get,
    uids: () => [...pods.keys()],
    all: () => [...pods.keys()].flatMap((uid) => get(uid) ?? []),
    accept(event) {
      for (const { told, removed } of asking) {
        if (isSandboxRemoval(event)) removed.add(event.containerId);
        else told.add(event.podSandboxStatus?.id ?? '');
      }
      const uid = acceptEvent(pods, event);
      for (const waiter of waiting) if (waiter.uid === uid) waiter.look();
      return uid;
    },
    async waitFor(uid, wanted, timeoutMs = 50) {
      if (wanted(get(uid))) return;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const waiter = { uid, look: () => void (wanted(get(uid)) && resolve(true)) };
      waiting.add(waiter);
      const timer = setTimeout(() => resolve(false), timeoutMs);
      const told = await promise;
      clearTimeout(timer);
      waiting.delete(waiter);
      if (!told) await inspect(uid);
    },
    inspect,
    async relist() {
      const snapshot = await ask({});
      const uids = new Set([...pods.keys(), ...snapshot.pods.keys()]);
      return [...uids].filter((uid) => take(uid, snapshot));
    },
  };
}

/** The snapshot, but for what events have told since it was begun: taking that back would start a container twice. */
function merged(known: PodEntry = new Map(), uid: string, snapshot: Snapshot): PodEntry {
  const entry: PodEntry = new Map(snapshot.pods.get(uid));
  for (const id of snapshot.removed) entry.delete(id);
  for (const [id, sandbox] of known) if (snapshot.told.has(id)) entry.set(id, sandbox);
  return entry;
}

const isSandboxRemoval = ({
  podSandboxStatus,
  containerEventType,
  containerId,
}: cri.ContainerEventResponse): boolean =>
  !podSandboxStatus?.metadata ||
  (containerEventType === 'CONTAINER_DELETED_EVENT' && containerId === podSandboxStatus.id);

function acceptEvent(pods: Map<string, PodEntry>, event: cri.ContainerEventResponse): string | undefined {
  const sandbox = event.podSandboxStatus;
  if (!sandbox?.metadata || isSandboxRemoval(event)) return dropSandbox(pods, event.containerId);
  const { uid } = sandbox.metadata;
  const entry = pods.get(uid) ?? new Map<string, SandboxEntry>();
  const known = entry.get(sandbox.id);
  if (known && event.createdAt < known.at) return undefined;
  const before = JSON.stringify([known?.sandbox, known?.containers]);
  const containers = event.containersStatuses.map(toRuntimeContainer);
  pods.set(uid, entry.set(sandbox.id, { sandbox, containers, at: event.createdAt }));
  return JSON.stringify([sandbox, containers]) === before ? undefined : uid;
}

function dropSandbox(pods: Map<string, PodEntry>, sandboxId: string): string | undefined {
  for (const [uid, entry] of pods) {
    if (!entry.delete(sandboxId)) continue;
    if (entry.size === 0) pods.delete(uid);
    return uid;
  }
  return undefined;
}

/** Asks for all sandboxes with these labels, and for their containers. */
async function inspectSandboxes(
  client: CriClient,
  labelSelector: Record<string, string>,
): Promise<Map<string, PodEntry>> {
  const [{ items }, { containers }] = await Promise.all([
    client.call('ListPodSandbox', { filter: { labelSelector } }),
    client.call('ListContainers', { filter: { labelSelector } }),
  ]);
  const [sandboxes, statuses] = await Promise.all([
    Promise.all(items.map(({ id }) => sandboxStatus(client, id))),
    Promise.all(containers.map(({ id }) => containerStatus(client, id))),
  ]);
  const sandboxOf = new Map(containers.map(({ id, podSandboxId }) => [id, podSandboxId]));
  const pods = new Map<string, PodEntry>();
  for (const sandbox of sandboxes) {
    if (!sandbox?.metadata?.uid) continue;
    const entry = pods.get(sandbox.metadata.uid) ?? new Map<string, SandboxEntry>();
    pods.set(sandbox.metadata.uid, entry);
    const own = statuses.flatMap((one) =>
      one && sandboxOf.get(one.id) === sandbox.id ? [toRuntimeContainer(one)] : [],
    );
    entry.set(sandbox.id, { sandbox, containers: own, at: lastChange(sandbox, own) });
  }
  return pods;
}

const lastChange = ({ createdAt }: cri.PodSandboxStatus, containers: RuntimeContainer[]): number =>
  Math.max(createdAt, ...containers.flatMap((one) => [one.createdAt, one.startedAt, one.finishedAt]));

const sandboxStatus = (client: CriClient, podSandboxId: string) =>
  client.call('PodSandboxStatus', { podSandboxId }).then(({ status }) => status, goneIsNull);

const containerStatus = (client: CriClient, containerId: string) =>
  client.call('ContainerStatus', { containerId }).then(({ status }) => status, goneIsNull);

function goneIsNull(error: unknown): null {
  if (isNotFound(error)) return null;
  throw error;
}

function statusOf(uid: string, entry: PodEntry): PodRuntimeStatus {
  const entries = [...entry.values()].sort((a, b) => b.sandbox.createdAt - a.sandbox.createdAt);
  const newest = entries[0]?.sandbox;
  return {
    uid,
    name: newest?.metadata?.name ?? '',
    namespace: newest?.metadata?.namespace ?? '',
    ips: newest ? sandboxIps(newest) : [],
    sandboxes: entries.map(({ sandbox }) => sandbox),
    containers: entries.flatMap(({ containers }) => containers).sort((a, b) => b.createdAt - a.createdAt),
  };
}
