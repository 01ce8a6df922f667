import {
  csiNameFor,
  inTreePluginOfPv,
  isMigratedOnNode,
  translateInTreePv,
  zoneKeyFor,
} from '../../../csi/translation/index.ts';
import type { CSINode, PersistentVolume } from '../../../api/types.ts';

/**
 * The volume as the node sees it: an in-tree volume that the node's kubelet gives to a CSI driver in the driver's
 * terms, with its zone as node affinity; any other as it is. Throws Error for one that can't be translated.
 */
export const asSeenByNode = (volume: PersistentVolume, csiNode: CSINode | undefined): PersistentVolume => {
  const plugin = inTreePluginOfPv(volume);
  if (plugin === undefined || !isMigratedOnNode(plugin, csiNode)) return volume;
  const driver = csiNameFor(plugin) ?? '';
  const { topologyKeys } = csiNode?.spec.drivers.find(({ name }) => name === driver) ?? {};
  try {
    return translateInTreePv(volume, { zoneKey: zoneKeyFor(driver, topologyKeys) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`could not translate pv: ${message}`, { cause: error });
  }
};

/** The volume itself, with the node affinity that it has for this node. */
export const withAffinityFor = (volume: PersistentVolume, csiNode: CSINode | undefined): PersistentVolume => {
  const seen = asSeenByNode(volume, csiNode);
  const nodeAffinity = seen.spec?.nodeAffinity;
  if (seen === volume || nodeAffinity === undefined) return volume;
  return { ...volume, spec: { ...volume.spec, nodeAffinity } };
};
