import type { PluginFactory } from '../framework/handle.ts';
import { stateKey } from '../framework/cycle-state.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { podRequests } from '../framework/resources.ts';
import type { Resources } from '../framework/resources.ts';

const requestsKey = stateKey<Resources>('NodeResourcesBalancedAllocation/requests');
const balancedResources = ['cpu', 'memory'];

/** Likes a node whose cpu and memory become more evenly used by the pod (upstream's balanced_allocation.go). */
export const nodeResourcesBalancedAllocation: PluginFactory = () => ({
  name: 'NodeResourcesBalancedAllocation',
  preScore({ pod, state }) {
    const requests = podRequests(pod);
    state.write(requestsKey, requests);
    // A pod that asks for nothing changes no balance.
    return balancedResources.some((name) => (requests.get(name) ?? 0) > 0);
  },
  score({ state, node }) {
    const requests = state.read(requestsKey) ?? new Map<string, number>();
    const change = balanceOf(node, requests) - balanceOf(node, new Map());
    return Math.floor(50 + (50 + change) / 2);
  },
});

/** 100 when all resources are used to the same share. */
const balanceOf = (node: NodeInfo, requests: Resources): number => {
  const shares = balancedResources.flatMap((name) => {
    const capacity = node.allocatable.get(name) ?? 0;
    if (capacity === 0) return [];
    return [Math.min(1, ((node.requested.get(name) ?? 0) + (requests.get(name) ?? 0)) / capacity)];
  });
  if (shares.length < 2) return 100;
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
  return Math.floor((1 - Math.sqrt(variance)) * 100);
};
