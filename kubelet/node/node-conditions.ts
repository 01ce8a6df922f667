import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { NodeCondition } from '../../api/types.ts';

/** Why the node is not ready; empty when it is. */
export type NotReadyReasons = string[];

export interface NodePressure {
  memory: boolean;
  disk: boolean;
  pid: boolean;
}

/** What upstream's hard eviction thresholds say now: memory below 100Mi, disk or inodes below a tenth or a twentieth. */
export async function readPressure(rootDir: string): Promise<NodePressure> {
  const { bavail, blocks, ffree, files } = await statfs(rootDir);
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]);
  return {
    memory: available * 1024 < 100 * 1024 * 1024,
    disk: bavail < blocks / 10 || (files > 0 && ffree < files / 20),
    pid: false,
  };
}

/** The node's four conditions, with upstream's reasons and messages (nodestatus/setters.go). */
export function nodeConditions({
  pressure,
  notReady,
  previous,
  now,
}: {
  pressure: NodePressure;
  notReady: NotReadyReasons;
  previous: NodeCondition[];
  now: string;
}): NodeCondition[] {
  const conditions: Omit<NodeCondition, 'lastHeartbeatTime' | 'lastTransitionTime'>[] = [
    pressure.memory
      ? bad('MemoryPressure', 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available')
      : good('MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    pressure.disk
      ? bad('DiskPressure', 'KubeletHasDiskPressure', 'kubelet has disk pressure')
      : good('DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    pressure.pid
      ? bad('PIDPressure', 'KubeletHasInsufficientPID', 'kubelet has insufficient PID available')
      : good('PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    notReady.length > 0
      ? {
          type: 'Ready',
          status: 'False',
          reason: 'KubeletNotReady',
          message: notReady.length === 1 ? (notReady[0] ?? '') : `[${notReady.join(', ')}]`,
        }
      : {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
        },
  ];
  return conditions.map((condition) => {
    const before = previous.find(({ type }) => type === condition.type);
    const same = before?.status === condition.status;
    return {
      ...condition,
      lastHeartbeatTime: now,
      lastTransitionTime: (same && before.lastTransitionTime) || now,
    };
  });
}

const good = (type: string, reason: string, message: string) => ({ type, status: 'False', reason, message });
const bad = (type: string, reason: string, message: string) => ({ type, status: 'True', reason, message });
