import { isDeepStrictEqual } from 'node:util';
import { claimsOfPod } from '../../api/storage/pod-claims.ts';
import { classOfClaim } from '../../api/storage/storage-class.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../api/types.ts';
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../client/resources.ts';
import type { Lister } from '../../client/store.ts';
import { stateKey } from '../framework/cycle-state.ts';
import type { PluginFactory } from '../framework/handle.ts';
import { unresolvable } from '../framework/plugin.ts';
import { concernsNamedClaimOf } from './claim-events.ts';

/** One topology label of a volume: the node must have it, with one of these values. */
interface VolumeTopology {
  key: string;
  values: string[];
}

interface Listers {
  claims: Lister<PersistentVolumeClaim>;
  volumes: Lister<PersistentVolume>;
  classes: Lister<StorageClass>;
}

const topologiesKey = stateKey<VolumeTopology[]>('VolumeZone');

/** Each old label and the name that nodes of today have it under. */
const newNames: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};
const topologyLabels = [...Object.keys(newNames), ...Object.values(newNames)];

/** A volume whose labels name zone or region is used only there; `a__b` names two. */
export const volumeZone: PluginFactory = ({ informers }) => {
  const listers: Listers = {
    claims: informers.informer(persistentVolumeClaims).lister,
    volumes: informers.informer(persistentVolumes).lister,
    classes: informers.informer(storageClasses).lister,
  };
  return {
    name: 'VolumeZone',
    hints: [
      {
        resource: 'StorageClass',
        actions: ['Add'],
        mayHelp: (_, { object }) =>
          (object as StorageClass | undefined)?.volumeBindingMode === 'WaitForFirstConsumer',
      },
      { resource: 'Node', actions: ['Add', 'UpdateLabel'] },
      { resource: 'PersistentVolumeClaim', actions: ['Add', 'Update'], mayHelp: concernsNamedClaimOf },
      {
        resource: 'PersistentVolume',
        actions: ['Add', 'Update'],
        mayHelp: (_, { previous, object }) =>
          previous === undefined ||
          !isDeepStrictEqual(topologiesOf(previous), object === undefined ? [] : topologiesOf(object)),
      },
    ],
    watchedResources: {
      StorageClass: storageClasses,
      PersistentVolumeClaim: persistentVolumeClaims,
      PersistentVolume: persistentVolumes,
    },
    preFilter({ pod, state }) {
      const topologies = topologiesOfPod(pod, listers);
      if (typeof topologies === 'string') return { rejection: unresolvable(topologies) };
      if (topologies.length === 0) return { skip: true };
      state.write(topologiesKey, topologies);
      return undefined;
    },
    filter({ state, node }) {
      // In a cluster of one zone the nodes may have no such labels at all.
      if (!topologyLabels.some((key) => key in node.labels)) return undefined;
      const isHere = ({ key, values }: VolumeTopology) => {
        const value = node.labels[key] ?? node.labels[newNames[key] ?? key];
        return value !== undefined && values.includes(value);
      };
      if ((state.read(topologiesKey) ?? []).every(isHere)) return undefined;
      return unresolvable('node(s) had no available volume zone');
    },
  };
};

/** The topology labels of the bound claims' volumes, or why the pod can't be placed at all. */
const topologiesOfPod = (pod: Pod, listers: Listers): VolumeTopology[] | string => {
  const topologies: VolumeTopology[] = [];
  for (const { name, isEphemeral } of claimsOfPod(pod)) {
    if (isEphemeral) continue;
    if (name === '') return 'PersistentVolumeClaim had no name';
    const claim = listers.claims.get({ name, namespace: pod.metadata?.namespace });
    if (claim === undefined) return `persistentvolumeclaim ${JSON.stringify(name)} not found`;
    const volumeName = claim.spec?.volumeName ?? '';
    if (volumeName === '') {
      const problem = unboundProblem(claim, listers);
      if (problem !== undefined) return problem;
      continue;
    }
    const volume = listers.volumes.getByKey(volumeName);
    if (volume === undefined) return `persistentvolume ${JSON.stringify(volumeName)} not found`;
    topologies.push(...topologiesOf(volume));
  }
  return topologies;
};

/** A claim that waits for a node has no zone yet; undefined is said of it. */
const unboundProblem = (claim: PersistentVolumeClaim, { classes }: Listers): string | undefined => {
  const className = classOfClaim(claim);
  if (className === '') return 'PersistentVolumeClaim had no pv name and storageClass name';
  const quoted = JSON.stringify(className);
  const storageClass = classes.getByKey(className);
  if (storageClass === undefined) return `storageclass.storage.k8s.io ${quoted} not found`;
  if (storageClass.volumeBindingMode === undefined)
    return `VolumeBindingMode not set for StorageClass ${quoted}`;
  return storageClass.volumeBindingMode === 'WaitForFirstConsumer'
    ? undefined
    : 'PersistentVolume had no name';
};

/** A label that names no zone at all is passed over. */
const topologiesOf = ({ metadata }: PersistentVolume): VolumeTopology[] =>
  topologyLabels.flatMap((key) => {
    const value = metadata?.labels?.[key];
    if (value === undefined) return [];
    const values = value.split('__').map((part) => part.trim());
    return values.includes('') ? [] : [{ key, values }];
  });
