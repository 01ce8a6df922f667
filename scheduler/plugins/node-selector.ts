import { matchesNodeSelector } from '../../api/selectors/node-selector.ts';
import type { Node, Pod } from '../../api/types.ts';

/** Whether a node is what the pod's nodeSelector and required node affinity ask for. */
export const matchesPodNodeSelection = (pod: Pod, node: Node): boolean => {
  const labels = node.metadata?.labels ?? {};
  const selector = Object.entries(pod.spec?.nodeSelector ?? {});
  if (!selector.every(([key, value]) => labels[key] === value)) return false;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesNodeSelector(required, node);
};
