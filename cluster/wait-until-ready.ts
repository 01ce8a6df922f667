import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StatusError } from '../api/status.ts';
import { clientFromKubeconfig } from '../client/kubeconfig.ts';
import { nodes } from '../client/resources.ts';
import type { Client } from '../client/rest.ts';
import type { ClusterFile } from './cluster-file.ts';
import { endOfDaemon, findDaemon } from './daemons.ts';
import { clusterPaths } from './paths.ts';
import { isReady } from './when-ready.ts';

const POLL_MS = 20;
/** A server that has just started may refuse what it is not ready for; what it refuses that often it won't do. */
const MOST_REFUSALS = 50;

export interface WaitOptions {
  /** Begun as soon as the API server answers, again when it fails, and waited for too. */
  prepare?: (client: Client) => Promise<void>;
  /** Long by default, because an emulated machine is slow; a daemon that dies is seen at once. */
  timeoutMs?: number;
}

/**
 * Returns when every node of the cluster is Ready and its kubelet answers; throws with the last words of the daemon that is waited for
 * when it dies meanwhile or the time is over.
 */
export async function waitUntilReady(
  file: ClusterFile,
  { prepare = () => Promise.resolve(), timeoutMs = 300_000 }: WaitOptions = {},
): Promise<void> {
  const client = clientFromKubeconfig(clusterPaths(file.name).kubeconfig);
  const deadline = performance.now() + timeoutMs;
  let reason = '';
  let awaited = 'control-plane';
  let prepared: Promise<void> | undefined;
  let refusals = 0;
  try {
    for (;;) {
      try {
        const { items } = await client.resource(nodes).list({ signal: AbortSignal.timeout(5000) });
        prepared ??= prepare(client);
        prepared.catch(() => undefined); // told below, once the nodes are Ready
        const ready = new Set(items.filter(isReady).map(({ metadata }) => metadata?.name));
        const isUp = await Promise.all(
          file.nodes.map(async ({ name, ip }) => ready.has(name) && isListening(ip)),
        );
        const waiting = file.nodes.filter((_, index) => isUp[index] !== true);
        if (waiting.length === 0) {
          await prepared;
          return;
        }
        reason = `not Ready: ${waiting.map(({ name }) => name).join(', ')}`;
        awaited = waiting[0]?.name ?? awaited;
      } catch (error) {
        prepared = undefined;
        awaited = 'control-plane';
        if (error instanceof StatusError) refusals += 1;
        if (refusals > MOST_REFUSALS) throw error;
        reason = `the API server does not answer as it should: ${error instanceof Error ? error.message : String(error)}`;
      }
      await throwIfDead(file);
      if (performance.now() > deadline) {
        throw new Error(
          `cluster ${file.name} after ${timeoutMs / 1000} s: ${reason}; where this host is only slow, 'podwright up --name ${file.name}' ` +
            `goes on waiting${lastWords(file.name, awaited)}`,
        );
      }
      await delay(POLL_MS);
    }
  } finally {
    client.close();
  }
}

const KUBELET_PORT = 10250;

/** Whether the kubelet answers; a node that has just been started again is still Ready by what it said before its end. */
async function isListening(host: string): Promise<boolean> {
  const socket = connect({ host, port: KUBELET_PORT });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(1000) });
    return true;
  } catch {
    return false; // refused, or nobody there yet
  } finally {
    socket.destroy();
  }
}

async function throwIfDead({ name: cluster, nodes: records }: ClusterFile): Promise<void> {
  for (const daemon of ['control-plane', ...records.map(({ name }) => name)]) {
    if (findDaemon(cluster, daemon) !== undefined) continue;
    const end = await endOfDaemon(cluster, daemon);
    throw new Error(
      `${daemon} of cluster ${cluster} ended at its start (${end})${lastWords(cluster, daemon)}`,
    );
  }
}

function lastWords(cluster: string, daemon: string): string {
  const path = join(clusterPaths(cluster).logs, `${daemon}.log`);
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').slice(-15) : [];
  return `; the end of ${path}:\n${lines.join('\n')}`;
}
