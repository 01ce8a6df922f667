import type { PluginFactory } from '../framework/handle.ts';
import { unresolvable } from '../framework/plugin.ts';

/** A pod with scheduling gates isn't looked at until the last one is removed. */
export const schedulingGates: PluginFactory = () => ({
  name: 'SchedulingGates',
  preEnqueue(pod) {
    const gates = (pod.spec?.schedulingGates ?? []).map(({ name }) => name);
    return gates.length === 0
      ? undefined
      : unresolvable(`waiting for scheduling gates: [${gates.join(' ')}]`);
  },
});
