import type { NodeStatus } from '../../api/types.ts';
import type { CriClient } from '../cri/cri-client.ts';
import { describeError } from '../cri/cri-error.ts';
import type { KubeletConfig } from '../kubelet-options.ts';
import { addAmounts } from '../resources/amounts.ts';
import type { Amounts } from '../resources/amounts.ts';
import type * as cri from '../../runtime/cri/types.ts';
import {
  allocatableOf,
  capacityOf,
  evictionReserve,
  kubeletVersion,
  readMachine,
  resourceList,
} from './machine.ts';
import type { Machine } from './machine.ts';
import { nodeConditions, readPressure } from './node-conditions.ts';

/** What the node's status says, read anew each time. */
export interface NodeFacts {
  machine: Machine;
  allocatable(): Amounts;
  statusNow(previous: NodeStatus, now: string): Promise<NodeStatus>;
}

export interface NodeFactsOptions {
  cri: CriClient;
  nodeName: string;
  nodeIp: string;
  rootDir: string;
  config: KubeletConfig;
  port(): number;
  /** Why the node is not ready, beside what the runtime says. */
  notReady(): string[];
}

export async function readNodeFacts(options: NodeFactsOptions): Promise<NodeFacts> {
  const { rootDir, config } = options;
  const machine = readMachine('');
  const capacity = await capacityOf(machine, { rootDir, maxPods: config.maxPods });
  const reserved = addAmounts(config.systemReserved, evictionReserve(capacity));
  const allocatable = allocatableOf(capacity, reserved);
  return {
    machine,
    allocatable: () => allocatable,
    async statusNow(previous, now) {
      const [runtime, images, pressure] = await Promise.all([
        runtimeFacts(options.cri),
        imagesOf(options.cri),
        readPressure(rootDir),
      ]);
      const notReady = [...runtime.notReady, ...options.notReady()];
      return {
        ...previous,
        capacity: resourceList(capacity),
        allocatable: resourceList(allocatable),
        conditions: nodeConditions({ pressure, notReady, now, previous: previous.conditions ?? [] }),
        addresses: [
          { type: 'InternalIP', address: options.nodeIp },
          { type: 'Hostname', address: options.nodeName },
        ],
        daemonEndpoints: { kubeletEndpoint: { Port: options.port() } },
        nodeInfo: {
          ...machine.info,
          kubeletVersion,
          containerRuntimeVersion:
            runtime.version ?? previous.nodeInfo?.containerRuntimeVersion ?? 'podwright://Unknown',
        },
        // A server written in Go leaves an empty list out: then it isn't news.
        ...(images.length > 0 || previous.images !== undefined ? { images } : {}),
        features: { supplementalGroupsPolicy: true },
        runtimeHandlers: [{ name: '', features: { recursiveReadOnlyMounts: true, userNamespaces: false } }],
      };
    },
  };
}

/** Why the runtime cannot take Pods, in upstream's words (kubelet/runtime.go). */
async function runtimeFacts(client: CriClient): Promise<{ notReady: string[]; version?: string }> {
  try {
    const [{ status }, { runtimeName, runtimeVersion }] = await Promise.all([
      client.call('Status', {}, { timeoutMs: 10_000 }),
      client.call('Version', {}, { timeoutMs: 10_000 }),
    ]);
    const notReady = (status?.conditions ?? []).flatMap(notReadyWords);
    return { notReady, version: `${runtimeName}://${runtimeVersion}` };
  } catch (error) {
    return { notReady: [`container runtime is down: ${describeError(error)}`] };
  }
}

function notReadyWords({ type, status, reason, message }: cri.RuntimeCondition): string[] {
  if (status) return [];
  const what = `${type}=${status} reason:${reason} message:${message}`;
  if (type === 'RuntimeReady') return [`container runtime not ready: ${what}`];
  if (type === 'NetworkReady') return [`container runtime network not ready: ${what}`];
  return [];
}

const maxImages = 50;

/** The 50 largest images, largest first (upstream: --node-status-max-images). */
async function imagesOf(client: CriClient): Promise<{ names: string[]; sizeBytes: number }[]> {
  const { images } = await client.call('ListImages', {}).catch(() => ({ images: [] as cri.Image[] }));
  return [...images]
    .sort((a, b) => b.size - a.size || (a.id < b.id ? -1 : 1))
    .slice(0, maxImages)
    .map(({ repoTags, repoDigests, size }) => ({
      names: [...repoDigests, ...repoTags].slice(0, 5),
      sizeBytes: size,
    }));
}
