import { applyDefaults } from '../../../api/defaults/defaults.ts';
import type { Pod } from '../../../api/types.ts';

/** A small valid Pod with all defaults, as a plain object that tests may change. */
export function validPod(change: (pod: PlainPod) => void = () => undefined): Pod {
  const pod: PlainPod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', resourceVersion: '1' },
    spec: { containers: [{ name: 'main', image: 'busybox' }] },
  };
  change(pod);
  applyDefaults(pod as unknown as Pod);
  return pod as unknown as Pod;
}

/** A Pod before any check: every field may hold anything. */
export interface PlainPod {
  [field: string]: unknown;
  metadata: Record<string, unknown>;
  spec: Record<string, unknown> & { containers: [Record<string, unknown>, ...Record<string, unknown>[]] };
}
