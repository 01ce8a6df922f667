import type { Lease } from '../../api/types.ts';
import { microTimeOf } from '../../client/clock.ts';
import type { Clock } from '../../client/clock.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../client/errors.ts';
import { leases, nodes } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { KubeletLog } from '../kubelet-log.ts';

const namespace = 'kube-node-lease';

/** The node's heartbeat: a Lease of 40 s, renewed every 10 s (KEP-589). */
export function keepLease({
  client,
  nodeName,
  clock,
  log,
  durationSeconds = 40,
  renewMs = 10_000,
}: {
  client: Client;
  nodeName: string;
  clock: Clock;
  log: KubeletLog;
  durationSeconds?: number;
  renewMs?: number;
}): { stop(): void } {
  let lease: Lease | undefined;
  let stopped = false;
  let cancel = () => {};
  const renew = async () => {
    try {
      lease = await write({ client, nodeName, durationSeconds, lease, renewTime: microTimeOf(clock.now()) });
    } catch (error) {
      // Another kubelet of the same name, or a lost answer: look again next time.
      lease = undefined;
      log.warn({ error: messageOf(error) }, 'cannot renew the lease of the node');
    }
    const soon = lease === undefined ? Math.min(renewMs, 1000) : renewMs;
    if (!stopped) cancel = clock.after(soon, () => void renew());
  };
  void renew();
  return {
    stop() {
      stopped = true;
      cancel();
    },
  };
}

interface WriteOptions {
  client: Client;
  nodeName: string;
  durationSeconds: number;
  lease: Lease | undefined;
  renewTime: string;
}

async function write(options: WriteOptions): Promise<Lease> {
  const { client, nodeName: name, renewTime } = options;
  const resource = client.resource(leases);
  const existing = options.lease ?? (await resource.get({ name, namespace }).catch(absent));
  if (existing?.spec) {
    try {
      const object = { ...existing, spec: { ...existing.spec, ...specOf(options), renewTime } };
      return await resource.update({ object });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
      if (isConflict(error)) return write({ ...options, lease: undefined });
    }
  }
  try {
    return await resource.create({ object: await newLease(options) });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return write({ ...options, lease: undefined });
  }
}

const specOf = ({ nodeName, durationSeconds, renewTime }: WriteOptions) => ({
  holderIdentity: nodeName,
  leaseDurationSeconds: durationSeconds,
  renewTime,
});

/** Owned by the node, so that it goes with it. */
async function newLease(options: WriteOptions): Promise<Lease> {
  const { client, nodeName: name } = options;
  const node = await client.resource(nodes).get({ name }).catch(absent);
  const uid = node?.metadata?.uid;
  const owner = uid ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] } : {};
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace, ...owner },
    spec: specOf(options),
  };
}

function absent(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}
