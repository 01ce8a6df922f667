import { matchesNodeSelector } from '../../../api/selectors/node-selector.ts';
import type { Node } from '../../../api/types.ts';
import type { VolumeSpec } from '../volume-spec.ts';

/** Throws Error when the PersistentVolume can't be used on this node (component-helpers CheckNodeAffinity). */
export const checkNodeAffinity = ({ persistentVolume }: VolumeSpec, node: Node): void => {
  const required = persistentVolume?.spec?.nodeAffinity?.required;
  if (required === undefined || matchesNodeSelector(required, node)) return;
  throw new Error('no matching NodeSelectorTerms');
};
