import { randomUUID } from 'node:crypto';
import { claimOfVolume, claimsOfPod } from '../../api/storage/pod-claims.ts';
import { classOfClaim } from '../../api/storage/storage-class.ts';
import type {
  CSINode,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  Volume,
  VolumeAttachment,
} from '../../api/types.ts';
import {
  csiNodes,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
  volumeAttachments,
} from '../../client/resources.ts';
import type { Lister } from '../../client/store.ts';
import {
  csiNameFor,
  inTreePluginOfPv,
  inTreePluginOfVolume,
  isMigratedOnNode,
  translateInTreePv,
  translateInTreeVolume,
} from '../../csi/translation/index.ts';
import type { ClusterEvent } from '../framework/cluster-event.ts';
import type { PluginFactory } from '../framework/handle.ts';
import { unresolvable, unschedulable } from '../framework/plugin.ts';
import { concernsClaimOf } from './claim-events.ts';

interface Listers {
  claims: Lister<PersistentVolumeClaim>;
  volumes: Lister<PersistentVolume>;
  classes: Lister<StorageClass>;
}

/** The driver of each volume, by a name that is one per volume. */
type DriverByVolume = Map<string, string>;

const attachmentsByNode = 'nodeName';
/** So that a claim without a volume is never taken for a volume's handle. */
const unboundPrefix = randomUUID();

/** A node takes only as many volumes of a driver as its CSINode says; a volume that several pods use counts once. */
export const nodeVolumeLimits: PluginFactory = ({ informers }) => {
  const listers: Listers = {
    claims: informers.informer(persistentVolumeClaims).lister,
    volumes: informers.informer(persistentVolumes).lister,
    classes: informers.informer(storageClasses).lister,
  };
  const limits = informers.informer(csiNodes).lister;
  const attachments = informers.informer(volumeAttachments, {
    indexers: { [attachmentsByNode]: ({ spec }: VolumeAttachment) => [spec.nodeName] },
  }).lister;
  return {
    name: 'NodeVolumeLimits',
    hints: [
      { resource: 'CSINode', actions: ['Add'] },
      { resource: 'CSINode', actions: ['Update'], mayHelp: (_, event) => raisesLimit(event) },
      {
        resource: 'AssignedPod',
        actions: ['Delete'],
        mayHelp: (_, { previous }) => previous !== undefined && mayBeAttached(previous as Pod),
      },
      { resource: 'PersistentVolumeClaim', actions: ['Add'], mayHelp: concernsClaimOf },
      { resource: 'VolumeAttachment', actions: ['Delete'], mayHelp: mayFreeFor },
    ],
    watchedResources: {
      CSINode: csiNodes,
      PersistentVolumeClaim: persistentVolumeClaims,
      VolumeAttachment: volumeAttachments,
    },
    preFilter: ({ pod }) => (mayBeAttached(pod) ? undefined : { skip: true }),
    filter({ pod, node }) {
      const csiNode = limits.getByKey(node.name);
      const missing = missingClaim(pod, listers);
      if (missing !== undefined) return unresolvable(missing);
      const limitByDriver = limitsOf(csiNode);
      const added = volumesOf(pod, { csiNode, listers });
      if (added.size === 0 || limitByDriver.size === 0) return undefined;
      const present = new Map<string, string>();
      for (const { pod: other } of node.pods.values()) volumesOf(other, { csiNode, listers, into: present });
      // A volume whose pod is gone may still be attached.
      for (const attachment of attachments.byIndex(attachmentsByNode, node.name)) {
        countAttachment(attachment, { listers, into: present });
      }
      const more = [...added].filter(([volume]) => !present.has(volume));
      for (const [volume, driver] of more) present.set(volume, driver);
      const isOver = more.some(
        ([, driver]) => countOf(present, driver) > (limitByDriver.get(driver) ?? Infinity),
      );
      return isOver ? unschedulable('node(s) exceed max volume count') : undefined;
    },
  };
};

const mayBeAttached = (pod: Pod): boolean =>
  (pod.spec?.volumes ?? []).some(
    (volume) => claimOfVolume(pod, volume) !== undefined || inTreePluginOfVolume(volume) !== undefined,
  );

const missingClaim = (pod: Pod, { claims }: Listers): string | undefined => {
  const namespace = pod.metadata?.namespace ?? '';
  const missing = claimsOfPod(pod).find(({ name }) => claims.get({ name, namespace }) === undefined);
  if (missing === undefined) return undefined;
  const { name } = missing;
  return `looking up PVC ${namespace}/${name}: persistentvolumeclaim ${JSON.stringify(name)} not found`;
};

const limitsOf = (csiNode: CSINode | undefined): Map<string, number> =>
  new Map(
    (csiNode?.spec.drivers ?? []).flatMap(({ name, allocatable }) =>
      allocatable?.count === undefined ? [] : [[name, allocatable.count] as const],
    ),
  );

const countOf = (volumes: DriverByVolume, driver: string): number =>
  [...volumes.values()].filter((each) => each === driver).length;

/** The attachable volumes of a pod, added to `into`. */
const volumesOf = (
  pod: Pod,
  {
    csiNode,
    listers,
    into = new Map<string, string>(),
  }: { csiNode: CSINode | undefined; listers: Listers; into?: DriverByVolume },
): DriverByVolume => {
  for (const volume of pod.spec?.volumes ?? []) {
    const reference = claimOfVolume(pod, volume);
    const namespace = pod.metadata?.namespace;
    const claim = reference && listers.claims.get({ name: reference.name, namespace });
    const source =
      reference === undefined
        ? inlineSource(volume, csiNode)
        : claim && claimSource(claim, { csiNode, listers });
    if (source !== undefined) into.set(`${source.driver}/${source.volumeHandle}`, source.driver);
  }
  return into;
};

interface Source {
  driver: string;
  volumeHandle: string;
}

const inlineSource = (volume: Volume, csiNode: CSINode | undefined): Source | undefined => {
  const plugin = inTreePluginOfVolume(volume);
  if (plugin === undefined || !isMigratedOnNode(plugin, csiNode)) return undefined;
  return translateInTreeVolume(volume).spec?.csi;
};

const claimSource = (
  claim: PersistentVolumeClaim,
  { csiNode, listers }: { csiNode: CSINode | undefined; listers: Listers },
): Source | undefined => {
  const volume = listers.volumes.getByKey(claim.spec?.volumeName ?? '');
  if (volume === undefined) return unboundSource(claim, { csiNode, listers });
  const plugin = inTreePluginOfPv(volume);
  if (plugin === undefined) return volume.spec?.csi;
  return isMigratedOnNode(plugin, csiNode) ? translateInTreePv(volume).spec?.csi : undefined;
};

/** A volume that is yet to be made counts for the driver that will make it. */
const unboundSource = (
  claim: PersistentVolumeClaim,
  { csiNode, listers: { classes } }: { csiNode: CSINode | undefined; listers: Listers },
): Source | undefined => {
  const provisioner = classes.getByKey(classOfClaim(claim))?.provisioner;
  if (provisioner === undefined) return undefined;
  const { namespace = '', name = '' } = claim.metadata ?? {};
  const volumeHandle = `${unboundPrefix}-${namespace}/${name}`;
  const driver = csiNameFor(provisioner);
  if (driver === undefined) return { driver: provisioner, volumeHandle };
  return isMigratedOnNode(provisioner, csiNode) ? { driver, volumeHandle } : undefined;
};

const countAttachment = (
  { spec }: VolumeAttachment,
  { listers, into }: { listers: Listers; into: DriverByVolume },
): void => {
  const volume = listers.volumes.getByKey(spec.source.persistentVolumeName ?? '');
  const handle = volume?.spec?.csi?.volumeHandle;
  if (handle !== undefined) into.set(`${spec.attacher}/${handle}`, spec.attacher);
};

const raisesLimit = ({ previous, object }: ClusterEvent): boolean => {
  // The event's resource says what type its objects are of.
  const before = limitsOf(previous as CSINode | undefined);
  const after = limitsOf(object as CSINode | undefined);
  return [...after].some(([driver, limit]) => limit > (before.get(driver) ?? 0));
};

const mayFreeFor = (pod: Pod, { previous }: ClusterEvent): boolean => {
  const attacher = (previous as VolumeAttachment | undefined)?.spec.attacher;
  return (pod.spec?.volumes ?? []).some((volume) => {
    if (claimOfVolume(pod, volume) !== undefined) return true;
    const plugin = inTreePluginOfVolume(volume);
    return plugin !== undefined && csiNameFor(plugin) === attacher;
  });
};
