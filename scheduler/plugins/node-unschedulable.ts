import type { PluginFactory } from '../framework/handle.ts';
import { unresolvable } from '../framework/plugin.ts';
import { tolerates } from '../../api/selectors/tolerations.ts';

const cordonTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** A cordoned node (spec.unschedulable) takes only pods that tolerate it. */
export const nodeUnschedulable: PluginFactory = () => ({
  name: 'NodeUnschedulable',
  hints: [{ resource: 'Node', actions: ['Add', 'UpdateTaint'] }],
  filter({ pod, node }) {
    if (node.node.spec?.unschedulable !== true) return undefined;
    if (tolerates(pod.spec?.tolerations, cordonTaint)) return undefined;
    return unresolvable('node(s) were unschedulable');
  },
});
