import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  VolumeAttachment,
} from '../../api/types.ts';
import type { ControllerContext } from '../../client/controller.ts';
import { keyOf } from '../../client/objects.ts';
import {
  csiDrivers,
  csiNodes,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from '../../client/resources.ts';
import { isOutOfService } from '../node-lifecycle/taints.ts';
import { podsByClaim } from '../pods-by-claim.ts';
import { podsByNode } from '../pods-by-node.ts';
import { isHealthy } from './world.ts';
import type { World } from './world.ts';

interface Followed {
  world: World;
  queuePod: (pod: Pod) => void;
  queueVolume: (uniqueName: string) => void;
  queueNode: (name: string) => void;
}

/** Queues what a change may concern. Answers how to stop. */
export const followObjects = ({ informers }: ControllerContext, followed: Followed): (() => void) => {
  const { world, queuePod } = followed;
  const onNode = (name: string) => world.pods.byIndex(podsByNode, name).forEach(queuePod);
  const onClaim = (key: string) => world.pods.byIndex(podsByClaim, key).forEach(queuePod);
  const claimChanged = (claim: PersistentVolumeClaim) => onClaim(keyOf(claim));
  const volumeChanged = ({ spec }: PersistentVolume) => {
    const { namespace = '', name = '' } = spec?.claimRef ?? {};
    if (name !== '') onClaim(`${namespace}/${name}`);
  };
  const csiNodeChanged = ({ metadata }: { metadata?: { name?: string } }) => onNode(metadata?.name ?? '');
  const driverChanged = () => world.pods.list().forEach(queuePod);
  const unfollow = [
    informers.informer(pods).addHandler({ add: queuePod, update: queuePod, delete: queuePod }),
    informers.informer(persistentVolumeClaims).addHandler({ add: claimChanged, update: claimChanged }),
    informers.informer(persistentVolumes).addHandler({ add: volumeChanged, update: volumeChanged }),
    informers.informer(csiNodes).addHandler({ add: csiNodeChanged, update: csiNodeChanged }),
    informers
      .informer(csiDrivers)
      .addHandler({ add: driverChanged, update: driverChanged, delete: driverChanged }),
    informers.informer(nodes).addHandler(nodeHandler(followed, onNode)),
    informers.informer(volumeAttachments).addHandler(attachmentHandler(followed)),
  ];
  return () => {
    for (const each of unfollow) each();
  };
};

const nodeHandler = ({ world, queueVolume, queueNode }: Followed, onNode: (name: string) => void) => {
  const queueVolumes = (name: string) => {
    for (const { uniqueName } of world.actual.on(name)) queueVolume(uniqueName);
  };
  return {
    add(node: Node) {
      const name = keyOf(node);
      onNode(name);
      queueVolumes(name);
      queueNode(name);
    },
    update(node: Node, previous: Node) {
      const name = keyOf(node);
      if (concernOf(node) !== concernOf(previous)) queueVolumes(name);
      if (world.reports.differs(node)) queueNode(name);
    },
    delete(node: Node) {
      // Its last word on what is in use stays.
      for (const attachment of world.actual.on(keyOf(node)))
        attachment.wasInUse = (node.status?.volumesInUse ?? []).includes(attachment.uniqueName);
      queueVolumes(keyOf(node));
    },
  };
};

/** What of a node decides about detaching; the heartbeats are none of it. */
const concernOf = (node: Node): string =>
  JSON.stringify([node.status?.volumesInUse ?? [], isHealthy(node), isOutOfService(node)]);

const attachmentHandler = ({ world, queueVolume }: Followed) => {
  const find = ({ metadata }: VolumeAttachment) => world.actual.byObjectName(metadata?.name ?? '');
  const changed = (object: VolumeAttachment) => {
    const attachment = find(object);
    if (attachment !== undefined) queueVolume(attachment.uniqueName);
  };
  const ended = (object: VolumeAttachment) => {
    const attachment = find(object);
    if (attachment === undefined) return;
    const { uid } = attachment;
    // Another uid is a predecessor's; of an attachment whose creation went unheard there is none.
    if (uid !== undefined && uid !== object.metadata?.uid) return;
    attachment.uid = undefined;
    attachment.isConfirmed = false;
    if (attachment.isDetaching) world.actual.remove(attachment);
    queueVolume(attachment.uniqueName);
  };
  return {
    add: changed,
    update: changed,
    delete: ended,
  };
};
