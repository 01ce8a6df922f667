import { claimsOfPod } from '../../api/storage/pod-claims.ts';
import type { Pod, Volume } from '../../api/types.ts';
import { persistentVolumeClaims } from '../../client/resources.ts';
import { stateKey } from '../framework/cycle-state.ts';
import type { PluginFactory } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { unresolvable, unschedulable } from '../framework/plugin.ts';
import { concernsNamedClaimOf } from './claim-events.ts';

/** Whether another pod uses a claim of the pod's that only one pod may use. */
const inUseKey = stateKey<boolean>('VolumeRestrictions');

/**
 * Some volumes can't be used by two pods: in-tree disks on one node unless all read only, and claims with
 * ReadWriteOncePod anywhere. The latter may be helped by preemption.
 */
export const volumeRestrictions: PluginFactory = ({ informers }) => {
  const claims = informers.informer(persistentVolumeClaims).lister;
  return {
    name: 'VolumeRestrictions',
    hints: [
      {
        resource: 'AssignedPod',
        actions: ['Delete'],
        mayHelp: (pod, { previous }) => previous !== undefined && sharesVolume(pod, previous as Pod),
      },
      { resource: 'Node', actions: ['Add'] },
      { resource: 'PersistentVolumeClaim', actions: ['Add'], mayHelp: concernsNamedClaimOf },
    ],
    watchedResources: { PersistentVolumeClaim: persistentVolumeClaims },
    preFilter({ pod, state, nodes }) {
      const exclusive = new Set<string>();
      for (const name of namedClaims(pod)) {
        const claim = claims.get({ name, namespace: pod.metadata?.namespace });
        if (claim === undefined) {
          return { rejection: unresolvable(`persistentvolumeclaim ${JSON.stringify(name)} not found`) };
        }
        if (claim.spec?.accessModes?.includes('ReadWriteOncePod') === true) exclusive.add(name);
      }
      const isInUse = exclusive.size > 0 && isUsed(exclusive, { pod, nodes });
      if (!isInUse && !(pod.spec?.volumes ?? []).some(isInTreeDisk)) return { skip: true };
      state.write(inUseKey, isInUse);
      return undefined;
    },
    filter({ pod, state, node }) {
      if (conflictsOnNode(pod, node)) return unschedulable('node(s) had no available disk');
      if (state.read(inUseKey) !== true) return undefined;
      return unschedulable(
        'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
      );
    },
  };
};

const namedClaims = (pod: Pod): string[] =>
  claimsOfPod(pod)
    .filter(({ isEphemeral }) => !isEphemeral)
    .map(({ name }) => name);

const isUsed = (
  names: ReadonlySet<string>,
  { pod, nodes }: { pod: Pod; nodes: readonly NodeInfo[] },
): boolean =>
  nodes.some((node) =>
    [...node.pods.values()].some(
      ({ pod: other }) =>
        other.metadata?.namespace === pod.metadata?.namespace &&
        other.metadata?.uid !== pod.metadata?.uid &&
        namedClaims(other).some((name) => names.has(name)),
    ),
  );

const conflictsOnNode = (pod: Pod, node: NodeInfo): boolean => {
  const disks = (pod.spec?.volumes ?? []).filter(isInTreeDisk);
  return (
    disks.length > 0 &&
    [...node.pods.values()].some(({ pod: other }) => disks.some((disk) => isTakenBy(disk, other)))
  );
};

const sharesVolume = (pod: Pod, other: Pod): boolean => {
  if (other.metadata?.namespace !== pod.metadata?.namespace) return false;
  const names = new Set(namedClaims(pod));
  return (
    (pod.spec?.volumes ?? []).some((volume) => isTakenBy(volume, other)) ||
    namedClaims(other).some((name) => names.has(name))
  );
};

const isInTreeDisk = ({ gcePersistentDisk, awsElasticBlockStore, rbd, iscsi }: Volume): boolean =>
  [gcePersistentDisk, awsElasticBlockStore, rbd, iscsi].some((source) => source !== undefined);

const isTakenBy = (volume: Volume, other: Pod): boolean =>
  (other.spec?.volumes ?? []).some((taken) => areSameDisk(volume, taken) && !areBothReadOnly(volume, taken));

const areSameDisk = (a: Volume, b: Volume): boolean => {
  const { gcePersistentDisk: gce, awsElasticBlockStore: ebs, iscsi, rbd } = a;
  return (
    (gce !== undefined && gce.pdName === b.gcePersistentDisk?.pdName) ||
    (ebs !== undefined && ebs.volumeID === b.awsElasticBlockStore?.volumeID) ||
    (iscsi !== undefined && iscsi.iqn === b.iscsi?.iqn) ||
    (rbd !== undefined &&
      b.rbd !== undefined &&
      rbd.monitors.some((monitor) => b.rbd?.monitors.includes(monitor)) &&
      (rbd.pool ?? 'rbd') === (b.rbd.pool ?? 'rbd') &&
      rbd.image === b.rbd.image)
  );
};

/** An EBS volume is never shared, whatever the pods want of it. */
const areBothReadOnly = (a: Volume, b: Volume): boolean =>
  [a, b].every(({ gcePersistentDisk, iscsi, rbd }) => (gcePersistentDisk ?? iscsi ?? rbd)?.readOnly === true);
