import type { Lease, Node, NodeCondition } from '../../api/types.ts';
import { timeOf } from '../../client/clock.ts';

/** When a node was last heard of, by our own clock: the nodes' clocks are never compared with it. */
export interface NodeHealth {
  heardAtMs: number;
  renewTime: string | undefined;
  heartbeatTime: string | undefined;
}

const watchedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** Takes a renewed Lease or a new heartbeat in the status as a sign of life. */
export const observeNode = (
  previous: NodeHealth | undefined,
  { node, lease, nowMs }: { node: Node; lease: Lease | undefined; nowMs: number },
): NodeHealth => {
  const renewTime = lease?.spec?.renewTime;
  const heartbeatTime = readyConditionOf(node)?.lastHeartbeatTime;
  const isAlive =
    previous === undefined ||
    (renewTime !== undefined && renewTime !== previous.renewTime) ||
    (heartbeatTime !== undefined && heartbeatTime !== previous.heartbeatTime);
  return { heardAtMs: isAlive ? nowMs : previous.heardAtMs, renewTime, heartbeatTime };
};

/** The condition of a node that is told by its kubelet; undefined before its first report. */
export const readyConditionOf = (node: Node): NodeCondition | undefined =>
  node.status?.conditions?.find(({ type }) => type === 'Ready');

/** The conditions of a node that is silent for too long; the same array when they say so already. */
export const conditionsOfSilentNode = (node: Node, nowMs: number): NodeCondition[] => {
  const conditions = node.status?.conditions ?? [];
  const now = timeOf(nowMs);
  const missing = watchedConditions.filter(
    (type) => !conditions.some((condition) => condition.type === type),
  );
  const stale = conditions.filter(
    ({ type, status }) => watchedConditions.includes(type) && status !== 'Unknown',
  );
  if (missing.length + stale.length === 0) return conditions;
  return [
    ...conditions.map((condition) =>
      stale.includes(condition)
        ? {
            ...condition,
            status: 'Unknown',
            reason: 'NodeStatusUnknown',
            message: 'Kubelet stopped posting node status.',
            lastTransitionTime: now,
          }
        : condition,
    ),
    ...missing.map((type) => ({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      ...(node.metadata?.creationTimestamp === undefined
        ? {}
        : { lastHeartbeatTime: node.metadata.creationTimestamp }),
      lastTransitionTime: now,
    })),
  ];
};
