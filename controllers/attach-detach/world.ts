import type { Logger } from 'pino';
import type { Node, Pod, VolumeAttachment } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Client } from '../../client/rest.ts';
import type { Lister } from '../../client/store.ts';
import type { ActualState, Attachment } from './actual-state.ts';
import type { DesiredState, Want } from './desired-state.ts';
import type { NodeReports } from './node-reports.ts';

/** When the controller loses patience. */
export interface AttachDetachTimes {
  /**
   * How long a volume may stay in use on a node that isn't healthy, after its last Pod has gone, until it is detached by force; the
   * node could still be writing then. Upstream's maxWaitForUnmountDuration.
   */
  maxWaitForUnmountMs: number;
  /** Never detach by force for lack of time (--disable-force-detach-on-timeout); the out-of-service taint still does. */
  disableForceDetachOnTimeout: boolean;
  /** How long the attacher may take without an answer until that is told. */
  attachTimeoutMs: number;
}

/** What the steps of a reconcile work with. */
export interface World {
  client: Client;
  clock: Clock;
  log: Logger;
  recorder: EventRecorder;
  times: AttachDetachTimes;
  desired: DesiredState;
  actual: ActualState;
  reports: NodeReports;
  nodes: Lister<Node>;
  pods: Lister<Pod>;
  attachments: Lister<VolumeAttachment>;
}

/** A node that isn't there is not healthy. */
export const isHealthy = (node: Node | undefined): boolean =>
  node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** Whether the kubelet says that it has, or is about to have, the volume mounted; of a node that is gone its last word counts. */
export function isInUse(attachment: Attachment, node: Node | undefined): boolean {
  if (node !== undefined)
    attachment.wasInUse = (node.status?.volumesInUse ?? []).includes(attachment.uniqueName);
  return attachment.wasInUse;
}

/** The VolumeAttachment that this is about, as it was last seen; one that isn't known yet is adopted. */
export function objectOf({ attachments }: World, attachment: Attachment): VolumeAttachment | undefined {
  const object = attachments.getByKey(attachment.objectName);
  // Another uid is a predecessor of which the deletion hasn't been heard of yet.
  if (attachment.uid !== undefined && object?.metadata?.uid !== attachment.uid) return undefined;
  if (object !== undefined) attachment.uid = object.metadata?.uid;
  return object;
}

/** Tells the Pods of a want. */
export function tellPods(
  { recorder, pods }: World,
  want: Want,
  event: { type: 'Normal' | 'Warning'; reason: string; message: string },
): void {
  for (const key of want.pods) {
    const pod = pods.getByKey(key);
    if (pod !== undefined) recorder.event({ object: pod, ...event });
  }
}
