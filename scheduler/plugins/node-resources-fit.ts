import type { PluginFactory } from '../framework/handle.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { stateKey } from '../framework/cycle-state.ts';
import { podRequests } from '../framework/resources.ts';
import type { Resources } from '../framework/resources.ts';

const requestsKey = stateKey<Resources>('NodeResourcesFit/requests');
const scoringRequestsKey = stateKey<Resources>('NodeResourcesFit/scoringRequests');
const scoredResources = ['cpu', 'memory'];

/** A node must have left what the pod asks for; of those that have, the emptier one is liked (LeastAllocated). */
export const nodeResourcesFit: PluginFactory = () => ({
  name: 'NodeResourcesFit',
  hints: [
    { resource: 'AssignedPod', actions: ['Delete', 'ScaleDown'] },
    { resource: 'Node', actions: ['Add', 'UpdateAllocatable'] },
  ],
  preFilter({ pod, state }) {
    state.write(requestsKey, podRequests(pod));
    return undefined;
  },
  filter({ pod, state, node }) {
    const lacks = lacking(state.read(requestsKey) ?? podRequests(pod), node);
    if (lacks.reasons.length === 0) return undefined;
    return {
      code: lacks.beyondNode ? 'UnschedulableAndUnresolvable' : 'Unschedulable',
      reasons: lacks.reasons,
    };
  },
  preScore({ pod, state }) {
    state.write(scoringRequestsKey, podRequests(pod, { forScoring: true }));
    return true;
  },
  score({ state, node }) {
    const requests = state.read(scoringRequestsKey) ?? new Map<string, number>();
    const shares = scoredResources.flatMap((name) => {
      const capacity = node.allocatable.get(name) ?? 0;
      if (capacity === 0) return [];
      const taken = (node.scoringRequested.get(name) ?? 0) + (requests.get(name) ?? 0);
      return [taken > capacity ? 0 : Math.floor(((capacity - taken) * 100) / capacity)];
    });
    if (shares.length === 0) return 0;
    return Math.floor(shares.reduce((sum, share) => sum + share, 0) / shares.length);
  },
});

const lacking = (requests: Resources, node: NodeInfo): { reasons: string[]; beyondNode: boolean } => {
  const reasons: string[] = [];
  let beyondNode = false;
  if (node.pods.size + 1 > (node.allocatable.get('pods') ?? 0)) reasons.push('Too many pods');
  for (const [name, amount] of requests) {
    const capacity = node.allocatable.get(name) ?? 0;
    if (amount === 0 || amount <= capacity - (node.requested.get(name) ?? 0)) continue;
    reasons.push(`Insufficient ${name}`);
    beyondNode ||= amount > capacity;
  }
  return { reasons, beyondNode };
};
