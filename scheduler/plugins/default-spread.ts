import { labelSelectorMatcher } from '../../api/selectors/labels.ts';
import type { Pod, Service, TopologySpreadConstraint } from '../../api/types.ts';
import type { Lister } from '../../client/store.ts';

const preferSpread = { whenUnsatisfiable: 'ScheduleAnyway' };

/**
 * How the pods of a Service are spread that have no constraints of their own (upstream's systemDefaultConstraints).
 * Empty for other pods. The owners that upstream asks besides (ReplicationController, ReplicaSet, StatefulSet) are
 * not served here.
 */
export const defaultSpreadConstraints = (pod: Pod, services: Lister<Service>): TopologySpreadConstraint[] => {
  const { namespace, labels = {} } = pod.metadata ?? {};
  const selectors = services
    .list({ namespace })
    .map(({ spec }) => spec?.selector)
    .filter((matchLabels) => matchLabels !== undefined)
    .filter((matchLabels) => labelSelectorMatcher({ matchLabels }).matches(labels));
  // All match the same pod, so that none contradicts another.
  const matchLabels = Object.assign({}, ...selectors) as Record<string, string>;
  if (Object.keys(matchLabels).length === 0) return [];
  const labelSelector = { matchLabels };
  return [
    { ...preferSpread, topologyKey: 'kubernetes.io/hostname', maxSkew: 3, labelSelector },
    { ...preferSpread, topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5, labelSelector },
  ];
};
