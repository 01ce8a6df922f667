import type { PluginFactory } from '../framework/handle.ts';
import { unresolvable } from '../framework/plugin.ts';

/** A pod that names its node (spec.nodeName) fits only there. */
export const nodeName: PluginFactory = () => ({
  name: 'NodeName',
  hints: [{ resource: 'Node', actions: ['Add'] }],
  filter({ pod, node }) {
    const wanted = pod.spec?.nodeName ?? '';
    if (wanted === '' || wanted === node.name) return undefined;
    return unresolvable("node(s) didn't match the requested node name");
  },
});
