import type { PluginFactory } from '../framework/handle.ts';
import { unschedulable } from '../framework/plugin.ts';
import { collide, hostPortsOf } from '../framework/host-ports.ts';

/** The host ports that a pod wants must be free on the node. */
export const nodePorts: PluginFactory = () => ({
  name: 'NodePorts',
  hints: [
    { resource: 'AssignedPod', actions: ['Delete'] },
    { resource: 'Node', actions: ['Add'] },
  ],
  preFilter: ({ pod }) => ({ skip: hostPortsOf(pod).length === 0 }),
  filter({ pod, node }) {
    const wanted = hostPortsOf(pod);
    for (const { hostPorts } of node.pods.values()) {
      if (hostPorts.some((taken) => wanted.some((port) => collide(port, taken)))) {
        return unschedulable("node(s) didn't have free ports for the requested pod ports");
      }
    }
    return undefined;
  },
});
