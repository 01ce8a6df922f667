import type { Rejection } from './plugin.ts';

/**
 * Why no node fits, in upstream's words (pkg/scheduler/framework/types.go, FitError):
 * `0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: …`.
 * `absent` speaks for the nodes that have no rejection of their own.
 */
export const fitErrorMessage = ({
  nodeCount,
  preFilterMessage = '',
  rejections,
  absent,
  postFilterMessage = '',
}: {
  nodeCount: number;
  preFilterMessage?: string | undefined;
  rejections: ReadonlyMap<string, Rejection>;
  absent?: Rejection | undefined;
  postFilterMessage?: string | undefined;
}): string => {
  const filterMessage = preFilterMessage === '' ? histogram({ nodeCount, rejections, absent }) : '';
  const parts = [
    `0/${nodeCount} nodes are available:`,
    ...[preFilterMessage, filterMessage].filter((part) => part !== '').map((part) => `${part}.`),
    ...(postFilterMessage === '' ? [] : [postFilterMessage]),
  ];
  return parts.join(' ');
};

const histogram = ({
  nodeCount,
  rejections,
  absent,
}: {
  nodeCount: number;
  rejections: ReadonlyMap<string, Rejection>;
  absent: Rejection | undefined;
}): string => {
  const counts = new Map<string, number>();
  const count = (reason: string, nodes: number) => counts.set(reason, (counts.get(reason) ?? 0) + nodes);
  for (const { reasons } of rejections.values()) for (const reason of reasons) count(reason, 1);
  const absentNodes = nodeCount - rejections.size;
  if (absentNodes > 0) for (const reason of absent?.reasons ?? []) count(reason, absentNodes);
  // Sorted as texts, numbers and all, as upstream does.
  return [...counts]
    .map(([reason, nodes]) => `${nodes} ${reason}`)
    .sort()
    .join(', ');
};
