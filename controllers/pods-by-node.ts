import type { Pod } from '../api/types.ts';

/** Name of the index of pods by the node that they are on (nodeNamesOf). */
export const podsByNode = 'spec.nodeName';

/** The value for that index, '' for a pod without a node. */
export const nodeNamesOf = ({ spec }: Pod): string[] => [spec?.nodeName ?? ''];
