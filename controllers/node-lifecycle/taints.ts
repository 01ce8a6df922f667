import type { Node, Taint } from '../../api/types.ts';
import { timeOf } from '../../client/clock.ts';

/** Which condition with which status makes which NoSchedule taint (upstream's nodeConditionToTaintKeyStatusMap). */
const taintByCondition: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: 'node.kubernetes.io/not-ready', Unknown: 'node.kubernetes.io/unreachable' },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
};
const cordonKey = 'node.kubernetes.io/unschedulable';
const outOfServiceKey = 'node.kubernetes.io/out-of-service';

const ourKeys = new Set([
  cordonKey,
  ...Object.values(taintByCondition).flatMap((keys) => Object.values(keys)),
]);
const evictingKeys = new Set(Object.values(taintByCondition['Ready'] ?? {}));

/**
 * The taints that a node should have: ours by its conditions and by spec.unschedulable, all others as they are.
 * `evicts` says whether a node that isn't ready also drives its pods away (NoExecute). The same array when
 * nothing changes.
 */
export const taintsOf = (node: Node, { evicts, nowMs }: { evicts: boolean; nowMs: number }): Taint[] => {
  const present = node.spec?.taints ?? [];
  const isOurs = ({ key, effect }: Taint) =>
    (effect === 'NoSchedule' && ourKeys.has(key)) || (effect === 'NoExecute' && evictingKeys.has(key));
  const wanted = wantedTaints(node, evicts);
  const isWanted = (taint: Taint) => wanted.some((other) => isSame(other, taint));
  const added = wanted.filter((taint) => !present.some((other) => isSame(other, taint)));
  const kept = present.filter((taint) => !isOurs(taint) || isWanted(taint));
  if (added.length === 0 && kept.length === present.length) return present;
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: timeOf(nowMs) }))];
};

const isSame = (a: Pick<Taint, 'key' | 'effect'>, b: Pick<Taint, 'key' | 'effect'>) =>
  a.key === b.key && a.effect === b.effect;

const wantedTaints = (node: Node, evicts: boolean): Pick<Taint, 'key' | 'effect'>[] => {
  const conditions = node.status?.conditions ?? [];
  const keys = conditions.flatMap(({ type, status }) => taintByCondition[type]?.[status] ?? []);
  const noSchedule = node.spec?.unschedulable === true ? [...keys, cordonKey] : keys;
  const noExecute = evicts ? keys.filter((key) => evictingKeys.has(key)) : [];
  return [
    ...noSchedule.map((key) => ({ key, effect: 'NoSchedule' })),
    ...noExecute.map((key) => ({ key, effect: 'NoExecute' })),
  ];
};

/** Somebody has made sure that the node is off (https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/). */
export const isOutOfService = (node: Node | undefined): boolean =>
  (node?.spec?.taints ?? []).some(({ key }) => key === outOfServiceKey);
