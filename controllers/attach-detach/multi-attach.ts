import { splitKey } from '../../client/objects.ts';
import type { Attachment } from './actual-state.ts';
import type { Want } from './desired-state.ts';
import { isHealthy, isInUse } from './world.ts';
import type { World } from './world.ts';

/**
 * Tells the Pods of a want that another node has their volume, who holds it there and how long that may last. Each situation is
 * told once; it is another one when the holder's Pods have gone.
 */
export class MultiAttachReports {
  /** `<unique name> <node>` → the situation that was told last. */
  readonly #told = new Map<string, string>();

  tell(world: World, want: Want, holders: readonly Attachment[]): void {
    const [holder] = holders;
    if (holder === undefined) return;
    const users = holders.flatMap(({ uniqueName, node }) => usersOn(world, uniqueName, node));
    const key = keyOf(want);
    const situation = `${holder.node} ${users.join(' ')}`;
    if (this.#told.get(key) === situation) return;
    this.#told.set(key, situation);
    for (const podKey of want.pods) {
      const object = world.pods.getByKey(podKey);
      if (object === undefined) continue;
      const message = messageOf(world, { want, holder, users, namespace: splitKey(podKey).namespace ?? '' });
      world.recorder.event({ object, type: 'Warning', reason: 'FailedAttachVolume', message });
    }
  }

  forget(want: Pick<Want, 'volume' | 'node'>): void {
    this.#told.delete(keyOf(want));
  }
}

const keyOf = ({ volume, node }: Pick<Want, 'volume' | 'node'>): string => `${volume.uniqueName} ${node}`;

const usersOn = ({ desired }: World, uniqueName: string, node: string): string[] =>
  desired.wantsOf(uniqueName).get(node)?.pods ?? [];

interface Refusal {
  want: Want;
  holder: Attachment;
  users: readonly string[];
  /** Of the Pod that is told: it shall not learn the names of Pods elsewhere. */
  namespace: string;
}

/** Upstream's words (attachdetach/reconciler reportMultiAttachError), then what more can be said. */
function messageOf(world: World, { want, holder, users, namespace }: Refusal): string {
  const names = users.map(splitKey);
  const local = names.filter((user) => user.namespace === namespace).map(({ name }) => name);
  const others = names.length - local.length;
  const elsewhere = `${others} pod(s) in different namespaces`;
  const listed = `pod(s) ${local.join(', ')}${others > 0 ? ` and ${elsewhere}` : ''}`;
  const head = `Multi-Attach error for volume ${JSON.stringify(want.volume.name)} Volume is already`;
  const prospect = prospectOf(world, holder, users.length > 0);
  if (users.length > 0)
    return `${head} used by ${local.length > 0 ? listed : elsewhere} on node ${holder.node}; ${prospect}`;
  return `${head} exclusively attached to one node and can't be attached to another: node ${holder.node} has it; ${prospect}`;
}

const whenForceIsOff =
  'the volume is detached when the node is back or has the taint node.kubernetes.io/out-of-service';

/** When the holder will let go. */
function prospectOf(world: World, holder: Attachment, hasUsers: boolean): string {
  const { times, clock, nodes } = world;
  const node = nodes.getByKey(holder.node);
  const patience = seconds(times.maxWaitForUnmountMs);
  if (hasUsers) {
    if (isHealthy(node)) return 'it is detached when they have ended';
    const force = times.disableForceDetachOnTimeout
      ? whenForceIsOff
      : `the volume is detached by force ${patience} after they have been deleted`;
    return `the node is not ready; ${force}`;
  }
  if (!isInUse(holder, node)) return 'it is being detached';
  if (isHealthy(node)) return 'it is being unmounted there';
  if (times.disableForceDetachOnTimeout) return `the node is not ready; ${whenForceIsOff}`;
  const elapsedMs = clock.now() - (holder.detachRequestedAtMs ?? clock.now());
  const leftMs = Math.max(0, times.maxWaitForUnmountMs - elapsedMs);
  return `the node is not ready; the volume is detached by force in ${seconds(leftMs)}`;
}

/** As Go writes a duration: 6m0s, 45s. */
function seconds(durationMs: number): string {
  const whole = Math.ceil(durationMs / 1000);
  const minutes = Math.floor(whole / 60);
  return minutes === 0 ? `${whole}s` : `${minutes}m${whole % 60}s`;
}
