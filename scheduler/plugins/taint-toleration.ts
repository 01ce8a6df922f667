import type { Pod, Taint } from '../../api/types.ts';
import type { PluginFactory } from '../framework/handle.ts';
import { unresolvable } from '../framework/plugin.ts';
import { normalizeToMaximum } from '../framework/score-nodes.ts';
import { tolerates, untoleratedTaint } from '../../api/selectors/tolerations.ts';

/** NoSchedule and NoExecute taints keep pods away, PreferNoSchedule ones make a node less liked. */
export const taintToleration: PluginFactory = () => ({
  name: 'TaintToleration',
  weight: 3,
  hints: [{ resource: 'Node', actions: ['Add', 'UpdateTaint'] }],
  filter({ pod, node }) {
    const taint = untoleratedTaint(node.node.spec?.taints, {
      tolerations: pod.spec?.tolerations,
      effects: ['NoSchedule', 'NoExecute'],
    });
    return taint === undefined ? undefined : unresolvable('node(s) had untolerated taint(s)');
  },
  score: ({ pod, node }) => dislikedTaints(pod, node.node.spec?.taints).length,
  normalizeScores: ({ scores }) => normalizeToMaximum(scores, { reverse: true }),
});

const dislikedTaints = (pod: Pod, taints: readonly Taint[] = []): Taint[] => {
  const tolerations = (pod.spec?.tolerations ?? []).filter(({ effect = '' }) =>
    ['', 'PreferNoSchedule'].includes(effect),
  );
  return taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerates(tolerations, taint));
};
