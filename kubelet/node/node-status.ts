import { isDeepStrictEqual } from 'node:util';
import type { Node, NodeStatus, Taint } from '../../api/types.ts';
import { timeOf, wait } from '../../client/clock.ts';
import type { Clock } from '../../client/clock.ts';
import { isAlreadyExists, isNotFound } from '../../client/errors.ts';
import { nodes } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import type { PodEvents } from '../pod-events.ts';
import { goArchitecture } from './machine.ts';

export interface NodeReporterOptions {
  client: Client;
  nodeName: string;
  labels: Record<string, string>;
  taints: Taint[];
  podCidr: string | undefined;
  clock: Clock;
  log: KubeletLog;
  events: PodEvents;
  /** The status as it is now, on top of what the API server has. */
  statusNow(previous: NodeStatus, now: string): Promise<NodeStatus>;
  /** The volumes that must stay attached; `previous` is what the API server has. */
  volumesInUse?: (previous: readonly string[]) => string[];
  /** The API server has this status: after it was written, and when there was nothing to write. */
  onStatus?(node: Node): void;
  /** How often changes are looked for; 10 s as upstream. */
  checkMs?: number;
  /** How often an unchanged status is written; 5 minutes as upstream. */
  reportMs?: number;
}

/** After a status that could not be written: Pods may wait for it. */
const retryMs = 1000;

/** Registers the node and keeps its status. */
export interface NodeReporter {
  /** Resolves when the node is registered and its first status is written. */
  registered: Promise<void>;
  /** The node as last seen. */
  node(): Node | undefined;
  /** Something has changed: look now. */
  check(): void;
  /** Only the volumes in use have changed: nothing else is looked at, since Pods wait for it. */
  checkVolumesInUse(): void;
  stop(): void;
}

export function reportNode(options: NodeReporterOptions): NodeReporter {
  const { client, nodeName, clock, log, checkMs = 10_000, reportMs = 300_000 } = options;
  const resource = client.resource(nodes);
  const stopping = new AbortController();
  let node: Node | undefined;
  let reportedMs = 0;
  let timer = () => {};
  let retry = () => {};
  let busy = false;
  let again: 'all' | 'volumes in use' | undefined;

  const register = async () => {
    for (let delayMs = 100; !stopping.signal.aborted; delayMs = Math.min(delayMs * 2, 7000)) {
      try {
        node = await createOrAdopt(options, { now: timeOf(clock.now()) });
        reportedMs = clock.now();
        options.onStatus?.(node);
        if (!stopping.signal.aborted) schedule();
        return;
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'cannot register the node');
        await wait({ clock, delayMs, signal: stopping.signal });
      }
    }
  };
  const update = async (part: 'all' | 'volumes in use') => {
    const known = node ?? (await resource.get({ name: nodeName }));
    const before = known.status ?? {};
    const now = part === 'all' ? await options.statusNow(before, timeOf(clock.now())) : before;
    const status = withVolumesInUse(options, now);
    const changed = !isDeepStrictEqual(withoutHeartbeats(before), withoutHeartbeats(status));
    if (!changed && clock.now() - reportedMs < reportMs) return options.onStatus?.(known);
    tellReady(options, before, status);
    node = await resource.patch({
      name: nodeName,
      type: 'strategic',
      subresource: 'status',
      patch: { status: part === 'all' ? statusPatch(status) : { volumesInUse: status.volumesInUse } },
    });
    if (part === 'all') reportedMs = clock.now();
    options.onStatus?.(node);
  };
  const check = (part: 'all' | 'volumes in use') => {
    if (again !== 'all') again = part;
    retry();
    if (!busy) void work();
  };
  const work = async () => {
    busy = true;
    try {
      while (again !== undefined && !stopping.signal.aborted) {
        const due = again;
        again = undefined;
        await update(due);
      }
    } catch (error) {
      if (isNotFound(error)) node = undefined;
      log.warn({ error: messageOf(error) }, 'cannot write the status of the node');
      retry = clock.after(retryMs, () => check('all'));
    }
    // In one go with the last look at what is due: whatever is asked for after it begins anew.
    busy = false;
  };
  const schedule = () => {
    timer = clock.after(checkMs, () => {
      check('all');
      schedule();
    });
  };
  return {
    registered: register(),
    node: () => node,
    check: () => {
      if (node) check('all');
    },
    checkVolumesInUse: () => {
      if (node) check('volumes in use');
    },
    stop() {
      stopping.abort();
      timer();
      retry();
    },
  };
}

/** A server written in Go leaves an empty list out: then it isn't news. */
function withVolumesInUse({ volumesInUse }: NodeReporterOptions, status: NodeStatus): NodeStatus {
  const names = volumesInUse?.(status.volumesInUse ?? []) ?? [];
  return names.length === 0 && status.volumesInUse === undefined
    ? status
    : { ...status, volumesInUse: names };
}

/** Lists that merge by key are written whole. What is attached is the attach-detach controller's to say. */
const statusPatch = ({
  addresses,
  volumesAttached: _theirs,
  ...status
}: NodeStatus): Record<string, unknown> => ({
  ...status,
  ...(addresses ? { addresses: [...addresses, { $patch: 'replace' }] } : {}),
});

function withoutHeartbeats({ conditions, ...status }: NodeStatus): unknown {
  const without = conditions?.map((condition) => ({ ...condition, lastHeartbeatTime: '' }));
  return JSON.parse(JSON.stringify({ ...status, conditions: without })) as unknown;
}

async function createOrAdopt(options: NodeReporterOptions, { now }: { now: string }): Promise<Node> {
  const { client, nodeName } = options;
  const resource = client.resource(nodes);
  const status = await options.statusNow({}, now);
  try {
    const created = await resource.create({ object: newNode(options, status) });
    tellReady(options, undefined, created.status);
    return created;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  const existing = await resource.get({ name: nodeName });
  const labels = nodeLabels(options);
  const wanted = { ...existing.metadata?.labels, ...labels };
  if (!isDeepStrictEqual(existing.metadata?.labels, wanted)) {
    await resource.patch({ name: nodeName, type: 'strategic', patch: { metadata: { labels } } });
  }
  const current = withVolumesInUse(options, await options.statusNow(existing.status ?? {}, now));
  tellReady(options, existing.status, current);
  return resource.patch({
    name: nodeName,
    type: 'strategic',
    subresource: 'status',
    patch: { status: statusPatch(current) },
  });
}

/** The labels that a kubelet gives its node. */
export const nodeLabels = ({
  nodeName,
  labels,
}: Pick<NodeReporterOptions, 'nodeName' | 'labels'>): Record<string, string> => ({
  'beta.kubernetes.io/arch': goArchitecture(),
  'beta.kubernetes.io/os': 'linux',
  'kubernetes.io/arch': goArchitecture(),
  'kubernetes.io/hostname': nodeName,
  'kubernetes.io/os': 'linux',
  ...labels,
});

const newNode = (options: NodeReporterOptions, status: NodeStatus): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: options.nodeName,
    labels: nodeLabels(options),
    annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
  },
  spec: {
    ...(options.taints.length > 0 ? { taints: options.taints } : {}),
    ...(options.podCidr ? { podCIDR: options.podCidr, podCIDRs: [options.podCidr] } : {}),
  },
  status,
});

/** An event for each change between Ready and not. */
function tellReady(
  { events, nodeName }: NodeReporterOptions,
  before: NodeStatus | undefined,
  after: NodeStatus | undefined,
): void {
  const readyOf = (status: NodeStatus | undefined) =>
    status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  if (readyOf(before) === readyOf(after)) return;
  const reason = readyOf(after) === 'True' ? 'NodeReady' : 'NodeNotReady';
  events.node('Normal', reason, `Node ${nodeName} status is now: ${reason}`);
}
