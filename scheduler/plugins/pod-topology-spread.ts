import type { Pod, TopologySpreadConstraint } from '../../api/types.ts';
import { labelSelectorMatcher } from '../../api/selectors/labels.ts';
import type { LabelSelectorMatcher } from '../../api/selectors/labels.ts';
import { services } from '../../client/resources.ts';
import { stateKey } from '../framework/cycle-state.ts';
import type { PluginFactory } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { unresolvable, unschedulable } from '../framework/plugin.ts';
import { defaultSpreadConstraints } from './default-spread.ts';
import { matchesPodNodeSelection } from '../../api/selectors/node-selector.ts';
import { untoleratedTaint } from '../../api/selectors/tolerations.ts';

interface Spread {
  constraint: TopologySpreadConstraint;
  selector: LabelSelectorMatcher;
  /** How many matching pods are in each domain, the empty ones included. */
  counts: Map<string, number>;
}

const filterKey = stateKey<Spread[]>('PodTopologySpread/filter');
const scoreKey = stateKey<{ spreads: (Spread & { weight: number })[]; ignored: Set<string> }>(
  'PodTopologySpread/score',
);
const reason = "node(s) didn't match pod topology spread constraints";

/**
 * Spreads pods over the values of node labels: maxSkew bounds the difference to the emptiest domain. The pods of a
 * Service are spread by default.
 */
export const podTopologySpread: PluginFactory = ({ informers }) => {
  const serviceLister = informers.informer(services).lister;
  return {
    name: 'PodTopologySpread',
    weight: 2,
    hints: [
      { resource: 'AssignedPod', actions: ['Add', 'Delete', 'UpdateLabel'] },
      { resource: 'Node', actions: ['Add', 'Delete', 'UpdateLabel', 'UpdateTaint'] },
    ],
    preFilter({ pod, state, nodes }) {
      const constraints = ownConstraints(pod, 'DoNotSchedule');
      const counted = nodes.filter((node) => hasKeys(node, constraints));
      const spreads = constraints.map((constraint) => spreadOf(pod, constraint, counted));
      state.write(filterKey, spreads);
      return { skip: spreads.length === 0 };
    },
    filter({ pod, state, node }) {
      for (const { constraint, selector, counts } of state.read(filterKey) ?? []) {
        const domain = node.labels[constraint.topologyKey];
        if (domain === undefined) return unresolvable(`${reason} (missing required label)`);
        const self = selector.matches(pod.metadata?.labels ?? {}) ? 1 : 0;
        const tooFewDomains = counts.size < (constraint.minDomains ?? 1);
        const emptiest = tooFewDomains ? 0 : Math.min(...counts.values());
        if ((counts.get(domain) ?? 0) + self - emptiest > constraint.maxSkew) return unschedulable(reason);
      }
      return undefined;
    },
    preScore({ pod, state, nodes, allNodes }) {
      const isDefaulted = (pod.spec?.topologySpreadConstraints ?? []).length === 0;
      const constraints = isDefaulted
        ? defaultSpreadConstraints(pod, serviceLister)
        : ownConstraints(pod, 'ScheduleAnyway');
      // A node without a zone is spread over by its name at least, unless the user has asked for zones.
      const takesPart = (node: NodeInfo) => isDefaulted || hasKeys(node, constraints);
      const scored = nodes.filter(takesPart);
      const counted = allNodes.filter(takesPart);
      state.write(scoreKey, {
        spreads: constraints.map((constraint) => ({
          ...spreadOf(pod, constraint, counted),
          weight: weightOf(constraint, scored),
        })),
        ignored: new Set(nodes.filter((node) => !takesPart(node)).map(({ name }) => name)),
      });
      return constraints.length > 0;
    },
    score({ state, node }) {
      const { spreads = [], ignored = new Set() } = state.read(scoreKey) ?? {};
      if (ignored.has(node.name)) return 0;
      return Math.round(
        spreads.reduce((sum, { constraint, counts, weight }) => {
          const domain = node.labels[constraint.topologyKey];
          if (domain === undefined) return sum;
          return sum + (counts.get(domain) ?? 0) * weight + (constraint.maxSkew - 1);
        }, 0),
      );
    },
    normalizeScores({ state, nodes, scores }) {
      const { ignored = new Set() } = state.read(scoreKey) ?? {};
      const counted = scores.filter((_, index) => !ignored.has(nodes[index]?.name ?? ''));
      const [lowest, highest] = [Math.min(...counted), Math.max(...counted)];
      return scores.map((score, index) => {
        if (ignored.has(nodes[index]?.name ?? '')) return 0;
        return highest === 0 ? 100 : Math.floor((100 * (highest + lowest - score)) / highest);
      });
    },
  };
};

const ownConstraints = (pod: Pod, whenUnsatisfiable: string): TopologySpreadConstraint[] =>
  (pod.spec?.topologySpreadConstraints ?? []).filter(
    (constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable,
  );

const hasKeys = ({ labels }: NodeInfo, constraints: readonly TopologySpreadConstraint[]): boolean =>
  constraints.every(({ topologyKey }) => labels[topologyKey] !== undefined);

/** Many domains weigh more, so that zones don't outweigh nodes; only those that can be chosen count. */
const weightOf = ({ topologyKey }: TopologySpreadConstraint, scored: readonly NodeInfo[]): number =>
  Math.log(new Set(scored.map(({ labels }) => labels[topologyKey])).size + 2);

const spreadOf = (pod: Pod, constraint: TopologySpreadConstraint, counted: readonly NodeInfo[]): Spread => {
  const selector = selectorOf(pod, constraint);
  const counts = new Map<string, number>();
  for (const node of counted) {
    const domain = node.labels[constraint.topologyKey];
    if (domain === undefined || !isCounted(pod, constraint, node)) continue;
    counts.set(domain, (counts.get(domain) ?? 0) + countMatching(pod, selector, node));
  }
  return { constraint, selector, counts };
};

const selectorOf = (pod: Pod, { labelSelector, matchLabelKeys = [] }: TopologySpreadConstraint) => {
  const labels = pod.metadata?.labels ?? {};
  const expressions = matchLabelKeys.flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [{ key, operator: 'In', values: [value] }];
  });
  if (expressions.length === 0) return labelSelectorMatcher(labelSelector);
  const own = labelSelector?.matchExpressions ?? [];
  return labelSelectorMatcher({ ...labelSelector, matchExpressions: [...own, ...expressions] });
};

const countMatching = (pod: Pod, selector: LabelSelectorMatcher, node: NodeInfo): number => {
  let count = 0;
  for (const { pod: existing } of node.pods.values()) {
    const { namespace, labels = {}, deletionTimestamp } = existing.metadata ?? {};
    if (namespace !== pod.metadata?.namespace || deletionTimestamp !== undefined) continue;
    if (selector.matches(labels)) count += 1;
  }
  return count;
};

/** Nodes the pod can't use don't count as domains, unless the constraint's policies say so. */
const isCounted = (
  pod: Pod,
  { nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' }: TopologySpreadConstraint,
  { node }: NodeInfo,
): boolean => {
  if (nodeAffinityPolicy === 'Honor' && !matchesPodNodeSelection(pod, node)) return false;
  if (nodeTaintsPolicy !== 'Honor') return true;
  const { tolerations } = pod.spec ?? {};
  const effects = ['NoSchedule', 'NoExecute'];
  return untoleratedTaint(node.spec?.taints, { tolerations, effects }) === undefined;
};
